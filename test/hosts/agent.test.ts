import { readFile, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, inject, test } from 'vitest';
import { z } from 'zod';
import { expectAnswer, Http } from '../../dev/kit/http.ts';
import { seededRandom } from '../../dev/kit/random.ts';
import { until } from '../../dev/kit/until.ts';
import type { DesiredAttachment } from '../../domain/host-protocol.ts';
import { SimulatedDriver } from '../../host/drivers/simulated.ts';
import { startAgent, type TestAgent, useStateFile } from '../support/agents.ts';
import { useDatabase } from '../support/database.ts';
import { useLink } from '../support/link.ts';
import { runProgram, startProgram } from '../support/program.ts';
import { useCustomer } from '../support/reserved.ts';
import { ANCHOR, useScriptedControlPlane } from '../support/scripted-control-plane.ts';
import { useWorld, type World } from '../support/world.ts';

const IP = '203.0.113.7';
const token = 'scripted';

/** Remembers what it was told, in order. */
class RecordingDriver extends SimulatedDriver {
  readonly calls: string[] = [];
  beforeDetach: (address: string) => Promise<void> = async () => {};

  override async attach(attachment: DesiredAttachment): Promise<void> {
    this.calls.push(`attach ${attachment.address} ${attachment.generation}`);
    await super.attach(attachment);
  }

  override async detach(address: string, generation: number): Promise<void> {
    this.calls.push(`detach ${address} ${generation}`);
    await this.beforeDetach(address);
    await super.detach(address, generation);
  }
}

/** A scripted control plane, and the agent of a host that hears of it alone. */
async function useAgent<Driver extends SimulatedDriver>(driver: Driver) {
  const controlPlane = await useScriptedControlPlane();
  startAgent({ apiUrl: controlPlane.url, token, driver });
  return { controlPlane, driver };
}

describe('an agent', () => {
  test('that is stopped before it has begun ends', async () => {
    const controlPlane = await useScriptedControlPlane();
    const agent = startAgent({ apiUrl: controlPlane.url, token, driver: new SimulatedDriver() });
    await agent.stop();
  });

  test('compares its host again and again while no event comes, without asking for its desired state', async () => {
    const controlPlane = await useScriptedControlPlane();
    const driver = new SimulatedDriver();
    controlPlane.desired = {
      sequence: 0,
      attachments: [{ address: IP, generation: 1, dropletId: 11, anchor: ANCHOR }],
    };
    startAgent({ apiUrl: controlPlane.url, token, driver, reconcileIntervalMs: 700 });
    for (let time = 0; time < 3; time++) {
      await until('the address is attached', async () => driver.attachments.has(IP));
      await driver.detach(IP, 1);
    }
    await until('the address is attached once more', async () => driver.attachments.has(IP));
    expect(controlPlane.snapshots).toBe(1);
  });

  test('announces nothing while its host is cut off, and then only for what is still its own', async () => {
    const moved = '203.0.113.8';
    const { controlPlane, driver } = await useAgent(new SimulatedDriver());
    controlPlane.events.push({ sequence: 1, change: 'attach', address: IP, generation: 1, dropletId: 11 });
    controlPlane.events.push({ sequence: 2, change: 'attach', address: moved, generation: 1, dropletId: 12 });
    await until('both are attached', async () => driver.announces(IP) && driver.announces(moved));

    driver.setCarrier(false);
    await until('the host announces nothing', async () => !driver.announces(IP) && !driver.announces(moved));
    controlPlane.desired = {
      sequence: 2,
      attachments: [{ address: IP, generation: 1, dropletId: 11, anchor: ANCHOR }],
    };
    driver.setCarrier(true);

    await until('the host announces what is its own', async () => driver.announces(IP));
    await until('the rest is gone', async () => !driver.attachments.has(moved));
  });

  test('acknowledges an event that is older than what it has applied as superseded, and does not apply it', async () => {
    const { controlPlane, driver } = await useAgent(new RecordingDriver());
    controlPlane.events.push({ sequence: 1, change: 'attach', address: IP, generation: 5, dropletId: 11 });
    await until('the newer event was applied', async () => controlPlane.outcomeOf(1) === 'applied');

    controlPlane.events.push({ sequence: 2, change: 'detach', address: IP, generation: 4 });
    controlPlane.events.push({ sequence: 3, change: 'attach', address: IP, generation: 3, dropletId: 12 });

    await until('the older ones were acknowledged', async () => controlPlane.outcomeOf(3));
    expect(controlPlane.outcomeOf(2)).toBe('superseded');
    expect(controlPlane.outcomeOf(3)).toBe('superseded');
    expect(driver.calls).toEqual([`attach ${IP} 5`]);
    expect(driver.attachments.get(IP)).toMatchObject({ dropletId: 11 });
  });

  test('applies of several changes that wait for their turn only the newest', async () => {
    const controlPlane = await useScriptedControlPlane();
    const driver = new RecordingDriver();
    driver.silence('before-applying');
    startAgent({ apiUrl: controlPlane.url, token, driver });
    controlPlane.events.push({ sequence: 1, change: 'attach', address: IP, generation: 1, dropletId: 11 });
    await until('the first change has begun', async () => driver.calls.length === 1);
    controlPlane.events.push({ sequence: 2, change: 'detach', address: IP, generation: 2 });
    controlPlane.events.push({ sequence: 3, change: 'attach', address: IP, generation: 3, dropletId: 13 });
    await sleep(100);

    driver.speakAgain();

    await until('all were acknowledged', async () => controlPlane.events.length === 0);
    expect([1, 2, 3].map((sequence) => controlPlane.outcomeOf(sequence))).toEqual(['applied', 'superseded', 'applied']);
    expect(driver.attachments.get(IP)).toMatchObject({ dropletId: 13 });
  });

  test('applies an event of the same generation again, and acknowledges it again', async () => {
    const { controlPlane } = await useAgent(new SimulatedDriver());
    controlPlane.events.push({ sequence: 1, change: 'attach', address: IP, generation: 2, dropletId: 11 });
    await until('it was applied', async () => controlPlane.outcomeOf(1));
    controlPlane.events.push({ sequence: 2, change: 'attach', address: IP, generation: 2, dropletId: 11 });
    await until('the repeat was acknowledged', async () => controlPlane.outcomeOf(2));
    expect(controlPlane.outcomeOf(2)).toBe('applied');
  });

  test('remembers in its state file what it has applied, so that a new one ignores what is older', async () => {
    const controlPlane = await useScriptedControlPlane();
    const stateFile = await useStateFile();
    const driver = new RecordingDriver();
    const first = startAgent({ apiUrl: controlPlane.url, token, driver, stateFile });
    controlPlane.events.push({ sequence: 1, change: 'attach', address: IP, generation: 8, dropletId: 11 });
    controlPlane.events.push({ sequence: 2, change: 'detach', address: IP, generation: 9 });
    await until('both were applied', async () => controlPlane.outcomeOf(2) === 'applied');
    await first.stop();
    expect(await readFile(stateFile, 'utf8')).toContain(`["${IP}",9]\n`);

    controlPlane.desired.sequence = 2;
    controlPlane.events.push({ sequence: 3, change: 'attach', address: IP, generation: 7, dropletId: 12 });
    startAgent({ apiUrl: controlPlane.url, token, driver, stateFile });

    await until('the older one was acknowledged', async () => controlPlane.outcomeOf(3));
    expect(controlPlane.outcomeOf(3)).toBe('superseded');
    expect(driver.attachments.size).toBe(0);
  });

  test('is not misled by a state file whose last line a crash cut short', async () => {
    const controlPlane = await useScriptedControlPlane();
    const stateFile = await useStateFile();
    await writeFile(stateFile, `${IP} 3\nnonsense\n${IP} 2\n${IP} 99`);
    const driver = new SimulatedDriver();
    startAgent({ apiUrl: controlPlane.url, token, driver, stateFile });
    controlPlane.events.push({ sequence: 1, change: 'attach', address: IP, generation: 2, dropletId: 11 });
    controlPlane.events.push({ sequence: 2, change: 'attach', address: IP, generation: 4, dropletId: 12 });
    await until('both were acknowledged', async () => controlPlane.outcomeOf(2));
    expect(controlPlane.outcomeOf(1)).toBe('superseded');
    expect(controlPlane.outcomeOf(2)).toBe('applied');
    await until('the file was written', async () => (await readFile(stateFile, 'utf8')).includes(`["${IP}",4]\n`));
  });

  test('reads the snapshot when events are missing, and puts itself in line with it', async () => {
    const { controlPlane, driver } = await useAgent(new SimulatedDriver());
    controlPlane.events.push({ sequence: 1, change: 'attach', address: IP, generation: 1, dropletId: 11 });
    await until('the first event was applied', async () => controlPlane.outcomeOf(1));
    const before = controlPlane.snapshots;

    // Events 2 and 3, of which this host never hears, took one address away and brought another.
    controlPlane.desired = {
      sequence: 4,
      attachments: [2, 3].map((last) => ({
        address: `203.0.113.20${last}`,
        generation: 1,
        dropletId: 12,
        anchor: ANCHOR,
      })),
    };
    controlPlane.events.push({ sequence: 4, change: 'attach', address: '203.0.113.203', generation: 1, dropletId: 12 });

    await until('the host was in line', async () => driver.attachments.size === 2 && !driver.attachments.has(IP));
    expect([...driver.attachments.keys()].sort()).toEqual(['203.0.113.202', '203.0.113.203']);
    expect(controlPlane.snapshots).toBe(before + 1);
    await until('the event was acknowledged', async () => controlPlane.outcomeOf(4));
  });

  test('says an acknowledgment again when the operation could not be notified', async () => {
    const controlPlane = await useScriptedControlPlane();
    const driver = new RecordingDriver();
    controlPlane.retryOnce.add(1);
    startAgent({ apiUrl: controlPlane.url, token, driver });
    controlPlane.events.push({ sequence: 1, change: 'attach', address: IP, generation: 1, dropletId: 11 });
    await until('it was said again', async () => controlPlane.outcomeOf(1));
    expect(driver.calls, 'it is not applied again').toHaveLength(1);
  });

  test('says why when its driver fails', async () => {
    const controlPlane = await useScriptedControlPlane();
    const driver = new SimulatedDriver();
    driver.failNext(1);
    startAgent({ apiUrl: controlPlane.url, token, driver });
    controlPlane.events.push({ sequence: 1, change: 'attach', address: IP, generation: 1, dropletId: 11 });
    await until('it was acknowledged', async () => controlPlane.outcomeOf(1));
    expect(controlPlane.acknowledged).toMatchObject([
      { outcome: 'failed', message: 'the simulated driver is set to fail' },
    ]);
  });
});

describe('a host that was cut off', () => {
  test('drops an address that moved away meanwhile, before it answers any event', async () => {
    const world = await useWorld({ agents: 0 });
    const db = useDatabase();
    const [cutOff, other] = [`${world.region}-1`, `${world.region}-2`];
    const link = await useLink(new URL(world.admin.baseUrl).host);
    const driver = new RecordingDriver();
    const hostToken = await world.registerHost(cutOff);
    startAgent({ apiUrl: `http://${link.address}`, token: hostToken, driver, stateFile: await useStateFile() });
    const account = await world.account();
    const [droplet = 0] = await world.droplets(account, 1);
    world.startAgent(other, await world.registerHost(other));
    const [otherDroplet = 0] = await world.droplets(account, 1);
    const ip = await account.reserve(world.region);
    await account.assign(ip, droplet);

    link.become('refusing');
    await account.assign(ip, otherDroplet);
    expect(driver.attachments.has(ip), 'the host cannot know yet').toBe(true);
    const answeredAtFirstDetach: unknown[] = [];
    driver.beforeDetach = async (address) => {
      const answered = await db
        .selectFrom('host_events')
        .innerJoin('hosts', 'hosts.id', 'host_events.host_id')
        .innerJoin('addresses', 'addresses.id', 'host_events.address_id')
        .select('host_events.outcome')
        .where('hosts.name', '=', cutOff)
        .where('host_events.change', '=', 'detach')
        .where('host_events.outcome', 'is not', null)
        .execute();
      if (address === ip) answeredAtFirstDetach.push(answered.length);
    };
    link.become('open');

    await until('the host detached the address', async () => !driver.attachments.has(ip));
    expect(answeredAtFirstDetach[0]).toBe(0);
    await until('it had answered everything', async () => (await unanswered(world, cutOff)) === 0);
    expect(await account.show(ip)).toMatchObject({ droplet: { id: otherDroplet } });
  });

  test('attaches nothing that was undone while it was away', async () => {
    const world = await useWorld({ agents: 0 });
    const db = useDatabase();
    const name = `${world.region}-1`;
    const hostToken = await world.registerHost(name);
    const account = await world.account();
    const [droplet = 0] = await world.droplets(account, 1);
    const ip = await account.reserve(world.region);
    expect(await account.ended(await account.startAssign(ip, droplet))).toMatchObject({ status: 'errored' });

    const driver = new RecordingDriver();
    startAgent({ apiUrl: world.admin.baseUrl, token: hostToken, driver });

    await until('it had answered everything', async () => (await unanswered(world, name)) === 0);
    const outcomes = await db
      .selectFrom('host_events')
      .innerJoin('hosts', 'hosts.id', 'host_events.host_id')
      .select(['host_events.change', 'host_events.outcome'])
      .where('hosts.name', '=', name)
      .orderBy('host_events.sequence')
      .execute();
    expect(outcomes.at(-1)).toEqual({ change: 'detach', outcome: 'applied' });
    expect(new Set(outcomes.filter(({ change }) => change === 'attach').map(({ outcome }) => outcome))).toEqual(
      new Set(['superseded']),
    );
    expect(driver.calls.filter((call) => call.startsWith('attach'))).toEqual([]);
    await account.assign(ip, droplet);
    expect(driver.attachments.has(ip)).toBe(true);
  });
});

describe('hosts whose agents are killed, fall silent and fail, while addresses come and go', () => {
  test('end up with exactly their desired state', { timeout: 120_000 }, async () => {
    const seed = Number(process.env.TEST_SEED ?? Math.floor(Math.random() * 1e6));
    const random = seededRandom(seed);
    const { world, account } = await useCustomer({ agents: 0 });
    const hosts = await Promise.all(
      [1, 2, 3].map(async (number) => ({
        name: `${world.region}-${number}`,
        token: await world.registerHost(`${world.region}-${number}`),
        driver: new SimulatedDriver({ delayMs: 2 }),
        stateFile: await useStateFile(),
        agent: null as TestAgent | null,
      })),
    );
    const start = (host: (typeof hosts)[number]) => {
      host.agent = startAgent({ ...host, apiUrl: world.admin.baseUrl, reconcileIntervalMs: 2_000 });
    };
    for (const host of hosts) start(host);
    const droplets = await world.droplets(account, 6);
    const addresses = await Promise.all(Array.from({ length: 4 }, () => account.reserve(world.region)));
    const requests: Promise<number>[] = [];

    for (let step = 0; step < 60; step++) {
      const host = random.from(hosts);
      const ip = random.from(addresses);
      switch (random.below(10)) {
        case 0:
          if (host.agent) await host.agent.kill();
          host.agent = null;
          break;
        case 1:
          host.driver.silence(random.from(['before-applying', 'after-applying']), random.from([null, [ip]]));
          break;
        case 2:
          host.driver.failNext(1);
          break;
        case 3:
          host.driver.speakAgain();
          break;
        case 4:
          if (!host.agent) start(host);
          break;
        case 5:
        case 6:
          requests.push(account.requestUnassign(ip).then(({ status }) => status));
          break;
        default:
          requests.push(account.requestAssign(ip, random.from(droplets)).then(({ status }) => status));
      }
      await sleep(random.below(60));
    }

    const statuses = await Promise.all(requests);
    expect(statuses.filter((status) => status !== 201 && status !== 422)).toEqual([]);
    expect(statuses, `seed ${seed}`).toContain(201);
    for (const host of hosts) {
      host.driver.speakAgain();
      host.driver.failNext(0);
      if (!host.agent) start(host);
    }
    const differences = async () => {
      const found: string[] = [];
      for (const ip of addresses) if ((await account.show(ip)).locked) found.push(`${ip} is locked`);
      for (const { name, token: hostToken, driver } of hosts) {
        const wanted = await desiredAttachments(world, hostToken);
        const present = (await driver.list()).map((one) => `${one.address} on ${one.dropletId} at ${one.anchor}`);
        if (present.sort().join() !== wanted.sort().join()) found.push(`${name} has ${present}, and should ${wanted}`);
        const open = await unanswered(world, name);
        if (open > 0) found.push(`${name} has not answered ${open} events`);
      }
      return found;
    };
    await until('all hosts were as they should be', async () => (await differences()).length === 0, 60_000).catch(
      async () => expect(await differences(), `seed ${seed}`).toEqual([]),
    );
    for (const ip of addresses) {
      const holder = (await account.show(ip)).droplet?.id ?? null;
      const found = hosts.flatMap(({ driver }) => driver.attachments.get(ip)?.dropletId ?? []);
      expect(found, `seed ${seed}, ${ip}`).toEqual(holder === null ? [] : [holder]);
    }
  });
});

describe('the agent as a process of its own', () => {
  test('carries operations out, and ends on SIGTERM', async () => {
    const world = await useWorld({ agents: 0 });
    const name = `${world.region}-1`;
    const stateFile = await useStateFile();
    const program = startProgram(
      'host/main.ts',
      ['--host', name, '--driver', 'simulated', '--delay-ms', '50', '--state-file', stateFile],
      {
        environment: {
          API_URL: inject('environment').apiUrl,
          HOST_TOKEN: await world.registerHost(name),
          LOG_LEVEL: 'info',
        },
      },
    );
    const account = await world.account();
    const [droplet = 0] = await world.droplets(account, 1);
    const ip = await account.reserve(world.region);
    await program.printed('agent started');

    await account.assign(ip, droplet);
    await account.unassign(ip);
    program.signal('SIGTERM');

    expect(await program.ended()).toMatchObject({ code: 0, stdout: expect.stringContaining('agent stopped') });
    expect(await readFile(stateFile, 'utf8')).toContain(ip);
  });

  test('takes the token that is named after its host', async () => {
    const world = await useWorld({ agents: 0 });
    const name = `${world.region}-1`;
    const variable = `HOST_TOKEN_${name.toUpperCase().replaceAll('-', '_')}`;
    startProgram('host/main.ts', ['--host', name], {
      environment: {
        API_URL: inject('environment').apiUrl,
        HOST_TOKEN: 'wrong',
        [variable]: await world.registerHost(name),
      },
    });
    const account = await world.account();
    const [droplet = 0] = await world.droplets(account, 1);
    await account.assign(await account.reserve(world.region), droplet);
  });

  test('says what is wrong with how it was started', async () => {
    const environment = { API_URL: '', HOST_TOKEN: '' };
    const [unconfigured, nameless, slow] = await Promise.all([
      runProgram('host/main.ts', ['--host', 'hv-1'], { environment }),
      runProgram('host/main.ts', [], { environment }),
      runProgram('host/main.ts', ['--host', 'hv-1', '--delay-ms', 'slow'], { environment }),
    ]);
    expect(unconfigured.code).toBe(1);
    expect(unconfigured.stderr).toMatch(/API_URL[\s\S]*HOST_TOKEN/);
    expect(nameless).toMatchObject({ code: 1, stderr: expect.stringContaining('--host') });
    expect(slow).toMatchObject({ code: 1, stderr: expect.stringContaining('--delay-ms') });
  });
});

/** How many events a host has not answered, as operators see it. */
async function unanswered(world: World, name: string): Promise<number> {
  const schema = z.object({ hosts: z.array(z.object({ name: z.string(), unacknowledged_events: z.int() })) });
  const { hosts } = expectAnswer(await world.admin.get('/internal/v1/hosts'), 200, schema);
  return hosts.find((host) => host.name === name)?.unacknowledged_events ?? -1;
}

async function desiredAttachments(world: World, hostToken: string): Promise<string[]> {
  const attachment = z.object({ address: z.string(), droplet_id: z.int(), anchor: z.string() });
  const answer = await new Http(world.admin.baseUrl, hostToken).get('/host/v1/desired-state');
  const { attachments } = expectAnswer(answer, 200, z.object({ attachments: z.array(attachment) }));
  return attachments.map((one) => `${one.address} on ${one.droplet_id} at ${one.anchor}`);
}
