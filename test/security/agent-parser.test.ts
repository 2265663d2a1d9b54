import { lstat, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { seededRandom } from '../../dev/kit/random.ts';
import { until } from '../../dev/kit/until.ts';
import type { DesiredAttachment } from '../../domain/host-protocol.ts';
import { AttachmentPolicy } from '../../host/attachment-policy.ts';
import { SimulatedDriver } from '../../host/drivers/simulated.ts';
import { parseHostConfiguration } from '../../host/settings.ts';
import { ConfigurationError } from '../../platform/config/settings.ts';
import { startAgent, useStateFile } from '../support/agents.ts';
import { runProgram } from '../support/program.ts';
import { HOSTILE_ADDRESSES, HostileValues, mayBeAttached } from './hostile-values.ts';
import { useRawControlPlane } from './raw-control-plane.ts';

const IP = '203.0.113.7';
const ANCHOR = '10.0.0.1';
const token = 'raw';

/** Remembers everything that it was told, also what it has undone since. */
class RecordingDriver extends SimulatedDriver {
  readonly attached: DesiredAttachment[] = [];
  readonly detached: string[] = [];

  override async attach(attachment: DesiredAttachment): Promise<void> {
    this.attached.push(attachment);
    await super.attach(attachment);
  }

  override async detach(address: string, generation: number): Promise<void> {
    this.detached.push(address);
    await super.detach(address, generation);
  }
}

function attach(sequence: number, fields: Record<string, unknown> = {}): string {
  const usual = { sequence, change: 'attach', address: IP, generation: 1, droplet_id: 11, anchor: ANCHOR };
  return JSON.stringify({ ...usual, issued_at: '2026-11-22T00:10:00.123Z', ...fields });
}

function desired(attachments: unknown[], fields: Record<string, unknown> = {}): string {
  return JSON.stringify({ host: 'raw', sequence: 0, attachments, ...fields });
}

function entry(last: number, fields: Record<string, unknown> = {}): Record<string, unknown> {
  return { address: `203.0.113.${last}`, generation: 1, droplet_id: last, anchor: `10.0.0.${last}`, ...fields };
}

const errorLineSchema = z.object({
  msg: z.string(),
  entries: z.int().optional(),
  reasons: z.array(z.string()).optional(),
});
type ErrorLine = z.infer<typeof errorLineSchema>;

/** What an agent logs as errors. */
function useErrorLines() {
  const lines: ErrorLine[] = [];
  const logger = pino(
    { level: 'error' },
    { write: (line: string) => lines.push(errorLineSchema.parse(JSON.parse(line))) },
  );
  return { lines, logger };
}

async function settings() {
  const controlPlane = await useRawControlPlane();
  const driver = new RecordingDriver();
  return { controlPlane, driver, options: { apiUrl: controlPlane.url, token, driver } };
}

describe('an event that the agent must not carry out', () => {
  test('is acknowledged as failed with its reason for each wrong address, and good ones are carried out', async () => {
    const { controlPlane, driver, options } = await settings();
    const stateFile = await useStateFile();
    startAgent({ ...options, stateFile });
    controlPlane.events = HOSTILE_ADDRESSES.map(([address], index) => {
      const anchor = address.includes(':') ? 'fd5d:2a1c:7b60::a00:1' : ANCHOR;
      return attach(index + 1, { address, anchor });
    });
    const last = HOSTILE_ADDRESSES.length + 1;
    controlPlane.events.push(attach(last));

    await until('all were acknowledged', async () => controlPlane.acknowledged.length === last);
    for (const [index, [address, why]] of HOSTILE_ADDRESSES.entries()) {
      expect(controlPlane.outcomeOf(index + 1), `${JSON.stringify(address)}: ${why}`).toMatchObject({
        outcome: 'failed',
        message: expect.stringMatching(/^rejected by the host agent: [\x20-\x7e]+$/),
      });
    }
    expect(controlPlane.outcomeOf(last)).toMatchObject({ outcome: 'applied' });
    expect(driver.attached.map(({ address }) => address)).toEqual([IP]);
    expect(await readFile(stateFile, 'utf8')).toBe(`["${IP}",1]\n`);
  });

  test('is acknowledged as failed for each wrong anchor', async () => {
    const { controlPlane, driver, options } = await settings();
    startAgent(options);
    const wrong = HOSTILE_ADDRESSES.map(([anchor]) => anchor).filter((anchor) => anchor !== 'fd5d:2a1c:7b60::a11:2');
    const others = ['fd5d:2a1c:7b60::7f00:1', 'fd5d:2a1c:7b60::e000:1', 'fd5d:2a1c:7b61::a00:1', 'fd5d:2a1c:7b60::'];
    const events = [
      ...wrong.map((anchor) => ({ anchor })),
      ...[...wrong, ...others].map((anchor) => ({ address: '2001:db8::7', anchor })),
      ...['fd5d:2a1c:7b60::a00:1', IP, null].map((anchor) => ({ anchor })),
      ...['10.0.0.1', '2001:db8::7', '2001:db8::8', null].map((anchor) => ({ address: '2001:db8::7', anchor })),
    ];
    controlPlane.events = events.map((fields, index) => attach(index + 1, fields));

    await until('all were acknowledged', async () => controlPlane.acknowledged.length === events.length);
    for (const [index, fields] of events.entries()) {
      expect(controlPlane.outcomeOf(index + 1)?.outcome, JSON.stringify(fields)).toBe('failed');
    }
    expect(driver.attached).toEqual([]);
  });

  test.each([
    ['droplet_id', ['11', 0, -1, 1.5, 2 ** 53, null, [11], true]],
    ['change', ['ATTACH', 'toString', null, ['attach'], 1]],
    ['address', [null, 1, ['203.0.113.7'], { toString: IP }, true]],
  ])('is acknowledged as failed when its %s is of another kind', async (field, values) => {
    const { controlPlane, driver, options } = await settings();
    startAgent(options);
    controlPlane.events = values.map((value, index) => attach(index + 1, { [field]: value }));
    await until('all were acknowledged', async () => controlPlane.acknowledged.length === values.length);
    expect(new Set(controlPlane.acknowledged.map(({ outcome }) => outcome))).toEqual(new Set(['failed']));
    expect(driver.attached).toEqual([]);
  });

  test('leaves what the host does for its address as it is', async () => {
    const { controlPlane, driver, options } = await settings();
    startAgent(options);
    controlPlane.events = [attach(1), attach(2, { generation: 2, anchor: 'localhost' })];
    await until('both were acknowledged', async () => controlPlane.acknowledged.length === 2);
    expect(driver.attachments.get(IP)).toMatchObject({ anchor: ANCHOR, generation: 1 });
  });

  test('does not stop those after it when it cannot even be acknowledged, nor makes the agent ask without pause', async () => {
    const { controlPlane, driver, options } = await settings();
    startAgent(options);
    controlPlane.events = ['null', '[]', '"attach"', attach(1, { generation: 'x' }), attach(1, { sequence: -1 })];
    await until('the agent has asked', async () => controlPlane.polls > 3);
    const pollsBefore = controlPlane.polls;
    const before = performance.now();
    controlPlane.events.push(attach(2));
    await until('the good one was applied', async () => driver.attachments.has(IP), 10_000);
    await until('some time has passed', async () => performance.now() - before > 1_500, 10_000);
    expect(controlPlane.polls - pollsBefore).toBeLessThan(20);
  });

  test('does not hide later ones behind a number that was never given', async () => {
    const { controlPlane, driver, options } = await settings();
    startAgent(options);
    controlPlane.events = [attach(Number.MAX_SAFE_INTEGER, { address: '203.0.113.8', anchor: '10.0.0.8' })];
    await until('it was acknowledged', async () => controlPlane.acknowledged.length === 1);
    controlPlane.desired = desired([], { sequence: 1 });
    controlPlane.events.push(attach(1));
    await until('the good one was applied', async () => driver.attachments.has(IP));
  });
});

describe('a control plane that tells and does not listen', () => {
  test('is asked for no more events than fit in hand, until it takes acknowledgments', async () => {
    const { controlPlane, driver, options } = await settings();
    const { lines, logger } = useErrorLines();
    const count = 5_000;
    controlPlane.events = Array.from({ length: count }, (_, index) => attach(index + 1, { anchor: 'localhost' }));
    const rejected = controlPlane.answer(
      '/host/v1/acknowledgments',
      (response) => void response.writeHead(503).end('{}'),
    );
    startAgent({ ...options, logger, reconcileIntervalMs: 200 });
    await until('acknowledgments were tried', async () => rejected() > 5, 15_000);
    await until('the agent has enough in hand', async () => controlPlane.polls > 10, 15_000);
    const before = performance.now();
    await until('some time has passed', async () => performance.now() - before > 2_000, 5_000);

    expect(controlPlane.polls, '200 events each, until it has more than 2,000').toBe(11);
    const rejections = lines.filter(({ msg }) => msg.startsWith('commands rejected'));
    expect(rejections.length).toBeLessThanOrEqual(controlPlane.polls);
    expect(rejections.reduce((sum, { entries = 0 }) => sum + entries, 0)).toBe(2_200);
    for (const { reasons = [] } of rejections) expect(reasons.length).toBeLessThanOrEqual(10);
    controlPlane.desired = desired([entry(9)]);
    await until('it still compares itself', async () => driver.attachments.has('203.0.113.9'));

    controlPlane.answering = null;
    await until('all were acknowledged', async () => controlPlane.acknowledged.length >= count, 30_000);
  });
});

describe('a generation that was never given', () => {
  const detach = (sequence: number, generation: number) =>
    JSON.stringify({ sequence, change: 'detach', address: IP, generation, issued_at: '2026-11-22T00:10:00.123Z' });
  const tooLow = ({ msg }: ErrorLine) => msg.includes('below those that this host has applied');

  test('is rejected when it could not have been counted, and is not kept', async () => {
    const { controlPlane, driver, options } = await settings();
    const stateFile = await useStateFile();
    startAgent({ ...options, stateFile });
    controlPlane.events = [
      detach(1, Number.MAX_SAFE_INTEGER),
      attach(2, { generation: Number.MAX_SAFE_INTEGER }),
      detach(3, 2 ** 40 + 1),
      attach(4, { generation: 7 }),
    ];
    await until('all were acknowledged', async () => controlPlane.acknowledged.length === 4);
    const outcomes = [1, 2, 3, 4].map((sequence) => controlPlane.outcomeOf(sequence)?.outcome);
    expect(outcomes).toEqual(['failed', 'failed', 'failed', 'applied']);
    expect(driver.attachments.get(IP)).toMatchObject({ generation: 7 });
    expect(await readFile(stateFile, 'utf8')).toBe(`["${IP}",7]\n`);
  });

  test('is left out of the state file that an earlier agent wrote', async () => {
    const { controlPlane, driver, options } = await settings();
    const stateFile = await useStateFile();
    await writeFile(stateFile, `["${IP}",${Number.MAX_SAFE_INTEGER}]\n`);
    controlPlane.desired = desired([entry(7)]);
    startAgent({ ...options, stateFile });
    await until('it was attached', async () => driver.attachments.has(IP));
  });

  test('is in the log once when the desired state is below it, with what to do, which mends it', async () => {
    const { controlPlane, driver, options } = await settings();
    const stateFile = await useStateFile();
    controlPlane.events = [detach(1, 2 ** 40)];
    const deceived = startAgent({ ...options, stateFile });
    await until('it was acknowledged', async () => controlPlane.outcomeOf(1)?.outcome === 'applied');
    await deceived.stop();

    controlPlane.desired = desired([entry(7, { generation: 3 }), entry(8)], { sequence: 2 });
    const { lines, logger } = useErrorLines();
    const restarted = startAgent({ ...options, stateFile, logger, reconcileIntervalMs: 50 });
    await until('the other one was attached', async () => driver.attachments.has('203.0.113.8'));
    const before = performance.now();
    await until('it was compared again', async () => performance.now() - before > 500);
    expect(driver.attachments.has(IP), 'an older generation does not win').toBe(false);
    expect(lines.filter(tooLow)).toMatchObject([
      {
        entries: 1,
        reasons: [`${IP}: received generation 3, applied ${2 ** 40}`],
        msg: expect.stringContaining('stop the agent, remove its state file, and start it again'),
      },
    ]);
    controlPlane.desired = desired([entry(7, { generation: 5 })], { sequence: 3 });
    controlPlane.events = [attach(3, { generation: 5 })];
    await until('the change was reported', async () => lines.filter(tooLow).length > 1);
    await restarted.stop();

    await rm(stateFile);
    startAgent({ ...options, stateFile });
    await until('it was attached', async () => driver.attachments.has(IP));
  });

  test('is in the log when a new event is below it, and not when an old event only comes late', async () => {
    const { controlPlane, options } = await settings();
    const stateFile = await useStateFile();
    await writeFile(stateFile, `["${IP}",9]\n["203.0.113.8",9]\n`);
    controlPlane.desired = desired([], { sequence: 5 });
    const late = { address: '203.0.113.8', generation: 4, anchor: '10.0.0.8' };
    controlPlane.events = [attach(4, late), attach(6, { generation: 3 })];
    const { lines, logger } = useErrorLines();
    startAgent({ ...options, stateFile, logger });
    await until('both were acknowledged', async () => controlPlane.acknowledged.length === 2);
    expect(controlPlane.acknowledged.map(({ outcome }) => outcome)).toEqual(['superseded', 'superseded']);
    expect(lines.filter(tooLow)).toMatchObject([{ reasons: [`${IP}: received generation 3, applied 9`] }]);
  });
});

describe('the ranges of a host', () => {
  test('let nothing else be attached, and what was attached outside of them is detached', async () => {
    const { controlPlane, driver, options } = await settings();
    const { HOST_ADDRESS_RANGES, HOST_ANCHOR_RANGES } = parseHostConfiguration({
      API_URL: controlPlane.url,
      HOST_TOKEN: token,
      HOST_ADDRESS_RANGES: '203.0.113.0/28, 2001:db8:1::/64',
      HOST_ANCHOR_RANGES: '10.17.0.0/16',
    });
    const policy = new AttachmentPolicy({
      addresses: HOST_ADDRESS_RANGES ?? null,
      anchors: HOST_ANCHOR_RANGES ?? null,
    });
    await driver.attach({ address: '198.51.100.1', generation: 1, dropletId: 1, anchor: '10.17.0.1' });
    controlPlane.desired = desired([{ address: '198.51.100.1', generation: 1, droplet_id: 1, anchor: '10.17.0.1' }]);
    startAgent({ ...options, policy });
    const cases: [string, string, string][] = [
      ['203.0.113.15', '10.17.0.2', 'applied'],
      ['203.0.113.16', '10.17.0.3', 'failed'],
      ['203.0.113.14', '10.18.0.2', 'failed'],
      ['10.17.0.9', '10.17.0.4', 'failed'],
      ['203.0.113.13', '203.0.113.12', 'failed'],
      ['2001:db8:1::7', 'fd5d:2a1c:7b60::a11:2', 'applied'],
      ['2001:db8:2::7', 'fd5d:2a1c:7b60::a11:3', 'failed'],
      ['2001:db8:1::8', 'fd5d:2a1c:7b60::a12:2', 'failed'],
    ];
    controlPlane.events = cases.map(([address, anchor], index) => attach(index + 1, { address, anchor }));
    await until('all were acknowledged', async () => controlPlane.acknowledged.length === cases.length);
    const outcomes = cases.map(([address, anchor], index) => [
      address,
      anchor,
      controlPlane.outcomeOf(index + 1)?.outcome,
    ]);
    expect(outcomes).toEqual(cases);
    expect([...driver.attachments.keys()].sort()).toEqual(['2001:db8:1::7', '203.0.113.15']);
  });

  test.each([
    [{ HOST_ADDRESS_RANGES: '203.0.113.7' }, /HOST_ADDRESS_RANGES.*no range/],
    [{ HOST_ADDRESS_RANGES: '203.0.113.7/24' }, /HOST_ADDRESS_RANGES.*no range/],
    [{ HOST_ADDRESS_RANGES: '203.0.113/24' }, /HOST_ADDRESS_RANGES.*no range/],
    [{ HOST_ADDRESS_RANGES: '203.0.113.0/33' }, /HOST_ADDRESS_RANGES.*no range/],
    [{ HOST_ADDRESS_RANGES: '2001:db8::1/64' }, /HOST_ADDRESS_RANGES.*no range/],
    [{ HOST_ADDRESS_RANGES: '203.0.113.0/24,' }, /HOST_ADDRESS_RANGES.*no range/],
    [{ HOST_ANCHOR_RANGES: 'fd5d:2a1c:7b60::/96' }, /HOST_ANCHOR_RANGES.*IPv4/],
    [{ HOST_ADDRESS_RANGES: '10.17.4.0/24', HOST_ANCHOR_RANGES: '10.17.0.0/16' }, /HOST_ANCHOR_RANGES.*overlaps/],
  ])('are rejected at the start when they are %o', (environment, message) => {
    const parse = () => parseHostConfiguration({ API_URL: 'http://api', HOST_TOKEN: token, ...environment });
    expect(parse).toThrow(ConfigurationError);
    expect(parse).toThrow(message);
  });
});

describe('a desired state with wrong entries', () => {
  test('counts in its other entries, and nothing is detached because of the wrong ones', async () => {
    const { controlPlane, driver, options } = await settings();
    for (const last of [1, 2, 3, 4, 5]) {
      const address = `203.0.113.${last}`;
      await driver.attach({ address, generation: 1, dropletId: last, anchor: `10.0.0.${last}` });
    }
    driver.attached.length = 0;
    controlPlane.desired = desired([
      null,
      entry(1),
      entry(2, { address: '203.0.113.2\n' }),
      entry(3, { anchor: 'localhost' }),
      entry(4, { generation: 'new' }),
      entry(5, { generation: 2 }),
      entry(5, { generation: 2, anchor: '10.0.0.99' }),
      entry(6, { generation: 1, anchor: '10.0.0.99' }),
      entry(6, { generation: 2 }),
      entry(6, { address: '203.0.113.6', anchor: '::1' }),
      entry(7, { address: '127.0.0.1' }),
      entry(8),
    ]);
    startAgent(options);
    await until('the good ones are attached', async () => driver.attachments.has('203.0.113.8'));
    await until('and both', async () => driver.attachments.get('203.0.113.6')?.generation === 2);
    expect(driver.detached).toEqual([]);
    expect(driver.attached.map(({ address }) => address).sort()).toEqual(['203.0.113.6', '203.0.113.8']);
  });

  test.each<[string, string]>([
    ['no JSON', 'not json'],
    ['nothing', ''],
    ['a list', '[]'],
    ['a number instead of entries', '{"host":"raw","sequence":0,"attachments":1}'],
    ['a sequence that is none', '{"host":"raw","sequence":1e400,"attachments":[]}'],
    ['more entries than a host can have', desired(Array.from({ length: 200_001 }, () => 0))],
    ['deep nesting', `{"host":"raw","sequence":0,"attachments":${'['.repeat(100_000)}${']'.repeat(100_000)}`],
  ])('changes nothing when it is %s, and the next one counts', async (_, text) => {
    const { controlPlane, driver, options } = await settings();
    await driver.attach({ address: IP, generation: 1, dropletId: 11, anchor: ANCHOR });
    const answers = controlPlane.answer('/host/v1/desired-state', (response) => void response.end(text));
    startAgent(options);
    await until('it was read twice', async () => answers() > 1);
    expect(driver.detached).toEqual([]);
    controlPlane.answering = null;
    await until('the next one counts', async () => driver.detached.includes(IP), 10_000);
  });

  test.each<[string, (text: Buffer) => { body: Buffer; headers: Record<string, string> }]>([
    ['as it is', (body) => ({ body, headers: {} })],
    ['compressed', (body) => ({ body: gzipSync(body), headers: { 'content-encoding': 'gzip' } })],
  ])('is not read any further when it is longer than it can be, %s', async (_, encode) => {
    const { controlPlane, driver, options } = await settings();
    await driver.attach({ address: IP, generation: 1, dropletId: 11, anchor: ANCHOR });
    const { body, headers } = encode(Buffer.concat([Buffer.alloc(65 * 1_024 * 1_024, 32), Buffer.from(desired([]))]));
    const answers = controlPlane.answer(
      '/host/v1/desired-state',
      (response) => void response.writeHead(200, headers).end(body),
    );
    startAgent(options);
    await until('it was read twice', async () => answers() > 1, 20_000);
    expect(driver.detached).toEqual([]);
  });
});

test('a redirection is not followed', async () => {
  const { controlPlane, driver, options } = await settings();
  const other = await useRawControlPlane();
  other.desired = desired([entry(1)]);
  const answers = controlPlane.answer(
    '/host/v1/desired-state',
    (response) => void response.writeHead(307, { location: `${other.url}/host/v1/desired-state` }).end(),
  );
  startAgent(options);
  await until('it was asked twice', async () => answers() > 1);
  expect(driver.attached).toEqual([]);
});

describe('a control plane that never waits', () => {
  test('is not asked without pause', async () => {
    const { controlPlane, options } = await settings();
    const polls = controlPlane.answer('/host/v1/events', (response) => void response.end('{"events":[]}'));
    const startedAt = performance.now();
    startAgent(options);
    await until('two seconds have passed', async () => performance.now() - startedAt > 2_000, 5_000);
    expect(polls()).toBeGreaterThan(1);
    expect(polls()).toBeLessThan(20);
  });
});

describe('the state file', () => {
  test('counts only in lines that are generations of canonical addresses', async () => {
    const { controlPlane, driver, options } = await settings();
    const stateFile = await useStateFile();
    const wrong = [
      ...HOSTILE_ADDRESSES.filter(([address]) => !mayBeAttached(address)).map(([address]) => `${address} 9`),
      '["203.0.113.7","9"]',
      '["203.0.113.7",1e400]',
      '["203.0.113.7",-9]',
      '["203.0.113.7",9,9]',
      '{"0":"203.0.113.7","1":9}',
      '203.0.113.7 99999999999999999999',
      'null',
      '['.repeat(10_000),
      '\u0000'.repeat(1_000),
    ];
    await writeFile(stateFile, [...wrong, '["203.0.113.8",5]', '198.51.100.7 6', ''].join('\n'));
    startAgent({ ...options, stateFile });
    controlPlane.events = [
      attach(1, { generation: 1 }),
      attach(2, { address: '203.0.113.8', generation: 4 }),
      attach(3, { address: '198.51.100.7', generation: 5 }),
    ];
    await until('all were acknowledged', async () => controlPlane.acknowledged.length === 3);
    const outcomes = [1, 2, 3].map((sequence) => controlPlane.outcomeOf(sequence)?.outcome);
    expect(outcomes).toEqual(['applied', 'superseded', 'superseded']);
    expect(driver.attached).toHaveLength(1);
  });

  test('is not written through a link that somebody has put in its place', async () => {
    const { options, controlPlane, driver } = await settings();
    const stateFile = await useStateFile();
    const victim = join(stateFile, '..', 'victim');
    await writeFile(victim, 'untouched');
    await symlink(victim, `${stateFile}.new`);
    startAgent({ ...options, stateFile });
    controlPlane.events = [attach(1)];
    await until('it was attached', async () => driver.attachments.has(IP));
    expect(await readFile(victim, 'utf8')).toBe('untouched');
    expect((await lstat(stateFile)).mode & 0o777).toBe(0o600);
  });
});

describe('whatever the control plane says', () => {
  const seed = Number(process.env.TEST_SEED ?? Math.floor(Math.random() * 1e6));
  test.each([0, 1, 2, 3])(
    'nothing is attached but what may be, and good events are carried out (%i)',
    async (offset) => {
      const values = new HostileValues(seededRandom(seed + offset));
      const { controlPlane, driver, options } = await settings();
      const stateFile = await useStateFile();
      const random = seededRandom(seed + offset + 1_000);
      const several = () => Array.from({ length: random.below(30) }, () => values.entry()).join(',');
      controlPlane.desired = `{"host":"raw","sequence":0,"attachments":[${several()}],"failed_events":[${several()}]}`;
      startAgent({ ...options, stateFile, reconcileIntervalMs: 300 });
      for (let round = 0; round < 10; round++) {
        const first = round * 100 + 1;
        controlPlane.events = Array.from({ length: 60 }, (_, index) => values.event(first + index));
        controlPlane.desired = `{"host":"raw","sequence":${first},"attachments":[${several()}]}`;
        const good = {
          sequence: first + 60,
          generation: 1_000 + round,
          address: '198.51.100.200',
          anchor: '10.0.0.200',
        };
        controlPlane.events.push(attach(good.sequence, good));
        await until(
          `the good event is carried out, seed ${seed}`,
          async () => controlPlane.outcomeOf(good.sequence)?.outcome === 'applied',
          15_000,
        );
      }
      const wrong = driver.attached.filter(({ address, anchor, generation, dropletId }) => {
        const isWhole = [generation, dropletId].every((number) => Number.isSafeInteger(number) && number >= 0);
        const isOneVersion = address.includes(':') === anchor.includes(':');
        return !mayBeAttached(address) || !mayBeAttached(anchor) || !isOneVersion || !isWhole;
      });
      expect(wrong, `seed ${seed}`).toEqual([]);
      expect(driver.attached.length, `seed ${seed}`).toBeGreaterThan(50);
      const lines = (await readFile(stateFile, 'utf8')).split('\n').slice(0, -1);
      const strays = lines.filter((line) => !/^\["[0-9a-f.:]{2,45}",\d{1,16}\]$/.test(line));
      expect(strays, `seed ${seed}`).toEqual([]);
    },
  );
});

test('the command rejects names that cannot be a host or a device', async () => {
  const environment = { API_URL: 'http://127.0.0.1:1', HOST_TOKEN: token };
  const start = (...words: string[]) => runProgram('host/main.ts', words, { environment });
  const ended = await Promise.all([
    start('--host', 'hv-1\nforged', '--driver', 'linux', '--uplink', 'eth0'),
    start('--host', 'hv-1', '--driver', 'linux', '--uplink', 'eth0\naddress add 127.0.0.1/8 dev lo'),
    start('--host', 'hv-1', '--driver', 'linux', '--uplink', '-all'),
  ]);
  expect(ended).toMatchObject([
    { code: 1, stderr: expect.stringContaining('A name without spaces') },
    { code: 1, stderr: expect.stringContaining('cannot be the name of a network device') },
    { code: 1, stderr: expect.stringContaining('cannot be the name of a network device') },
  ]);
});
