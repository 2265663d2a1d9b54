import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { z } from 'zod';
import { expectAnswer, Http } from '../../dev/kit/http.ts';
import { seededRandom } from '../../dev/kit/random.ts';
import { until } from '../../dev/kit/until.ts';
import type { RegisteredHost } from '../../dev/testbed/population.ts';
import { CAN_HAVE_BEDS, createKnownBed, type KnownBed } from '../support/bed.ts';
import { networkOf, readHostNetwork } from '../support/host-network.ts';

const STEPS = 400;
const ADDRESSES = 4;
const LONGEST_PAUSE_MS = 60;
const SEED = Number(process.env.CHURN_SEED ?? 20_261_124);

const attachmentsSchema = z.object({
  attachments: z.array(z.object({ address: z.string(), anchor: z.string(), droplet_id: z.int() })),
});

describe.skipIf(!CAN_HAVE_BEDS)('agents that are killed and started at any moment', () => {
  let bed: KnownBed;
  beforeAll(async () => {
    bed = await createKnownBed({ dropletsPerHost: 2 });
  });
  afterAll(() => bed?.close());

  async function desiredOf({ token }: RegisteredHost) {
    const answer = await new Http(inject('environment').apiUrl, token).get('/host/v1/desired-state');
    return expectAnswer(answer, 200, attachmentsSchema).attachments;
  }

  test(`leave every host as it should be, after ${STEPS} steps of the seed ${SEED}`, { timeout: 240_000 }, async () => {
    const random = seededRandom(SEED);
    const addresses: string[] = [];
    for (let count = 0; count < ADDRESSES; count++) addresses.push(await bed.account.reserve(bed.region));
    const running = new Set<RegisteredHost>();
    const cut = new Set<RegisteredHost>();
    const done = { assigns: 0, unassigns: 0, rejected: 0, kills: 0, starts: 0, cuts: 0 };

    const start = (host: RegisteredHost) => {
      if (running.has(host)) return;
      running.add(host);
      done.starts++;
      bed.startAgent(host);
    };
    const kill = async (host: RegisteredHost) => {
      if (!running.delete(host)) return;
      done.kills++;
      await host.host.killAgent();
    };
    const steps: (() => Promise<void>)[] = [
      async () => {
        const { status } = await bed.account.requestAssign(random.from(addresses), random.from(bed.droplets).id);
        done[status === 201 ? 'assigns' : 'rejected']++;
      },
      async () => {
        const { status } = await bed.account.requestUnassign(random.from(addresses));
        done[status === 201 ? 'unassigns' : 'rejected']++;
      },
      async () => start(random.from(bed.registered)),
      async () => kill(random.from(bed.registered)),
      async () => {
        const host = random.from(bed.registered);
        if (cut.delete(host)) return host.host.repair();
        // Most of the time all are connected, so that most operations can succeed.
        if (cut.size > 0) return;
        cut.add(host);
        done.cuts++;
        await host.host.cut();
      },
    ];
    const weights = [0, 0, 0, 0, 0, 1, 1, 2, 2, 2, 2, 3, 3, 4];
    for (const host of bed.registered) start(host);
    for (let step = 0; step < STEPS; step++) {
      await steps[random.from(weights)]?.();
      await sleep(random.below(LONGEST_PAUSE_MS));
    }

    for (const host of cut) await host.host.repair();
    for (const host of bed.registered) start(host);
    await until('no operation is open', async () => (await openActions(bed)) === 0, 60_000);
    for (const host of bed.registered) {
      const expected = networkOf(await desiredOf(host));
      await until(`${host.name} is as it should be`, async () => {
        const present = await readHostNetwork(host.host);
        return JSON.stringify(present) === JSON.stringify(expected);
      }).catch(async () => expect(await readHostNetwork(host.host), host.name).toEqual(expected));
    }
    for (const address of addresses) {
      const { droplet } = await bed.account.show(address);
      const answer = await bed.client.run('curl', ['-sS', '-m', '2', `http://${address}/`]).catch(() => null);
      const name = bed.droplets.find(({ id }) => id === droplet?.id)?.name ?? null;
      expect(answer === null ? null : JSON.parse(answer).name, address).toBe(name);
    }
    console.log(`churn of the seed ${SEED}: ${JSON.stringify(done)}`);
    expect(done.assigns).toBeGreaterThan(5);
    expect(done.kills).toBeGreaterThan(10);
  });
});

async function openActions({ account, region }: KnownBed): Promise<number> {
  const answer = await account.http.get('/v2/actions?per_page=200');
  const schema = z.object({ actions: z.array(z.object({ status: z.string(), region_slug: z.string() })) });
  const { actions } = expectAnswer(answer, 200, schema);
  return actions.filter(({ status, region_slug }) => status === 'in-progress' && region_slug === region).length;
}
