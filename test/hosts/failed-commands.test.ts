import { expect, test } from 'vitest';
import type { Database } from '../../db/database.ts';
import { until } from '../../dev/kit/until.ts';
import { SimulatedDriver } from '../../host/drivers/simulated.ts';
import { startAgent } from '../support/agents.ts';
import { useDatabase } from '../support/database.ts';
import { ANCHOR, useScriptedControlPlane } from '../support/scripted-control-plane.ts';
import { useWorld } from '../support/world.ts';

const IP = '203.0.113.7';
const token = 'scripted';

test('an agent that has repaired what failed says that it is done after all', async () => {
  const controlPlane = await useScriptedControlPlane();
  const driver = new SimulatedDriver();
  controlPlane.desired = { sequence: 0, attachments: [{ address: IP, generation: 1, dropletId: 11, anchor: ANCHOR }] };
  startAgent({ apiUrl: controlPlane.url, token, driver, reconcileIntervalMs: 500 });
  await until('the address is attached', async () => driver.attachments.has(IP));

  driver.failNext(1);
  controlPlane.desired = { sequence: 1, attachments: [] };
  controlPlane.events.push({ sequence: 1, change: 'detach', address: IP, generation: 2 });

  await until('the detach was acknowledged as applied', async () => controlPlane.outcomeOf(1) === 'applied');
  expect(controlPlane.acknowledged.map(({ outcome }) => outcome)).toEqual(['failed', 'applied']);
  expect(driver.attachments.has(IP)).toBe(false);
});

test('an agent that follows one that was killed after it had failed repairs that, and says so', async () => {
  const world = await useWorld({ agents: 0 });
  const db = useDatabase();
  const name = `${world.region}-1`;
  const driver = new SimulatedDriver();
  const options = { apiUrl: world.admin.baseUrl, token: await world.registerHost(name), driver };
  const killed = startAgent(options);
  const account = await world.account();
  const [droplet = 0] = await world.droplets(account, 1);
  const ip = await account.reserve(world.region);
  await account.assign(ip, droplet);
  driver.failNext(Number.POSITIVE_INFINITY, ip);
  // The operation does not wait for a host that cannot: with its droplet destroyed, the address comes free.
  expect((await account.http.delete(`/v2/droplets/${droplet}`)).status).toBe(204);
  await until('the address is free', async () => (await account.show(ip)).locked === false, 30_000);
  expect(await newestOutcome(db, name)).toBe('failed');
  await killed.kill();
  driver.failNext(0, ip);

  startAgent(options);

  await until('the host detached the address', async () => !driver.attachments.has(ip));
  await until('it has said so', async () => (await newestOutcome(db, name)) === 'applied');
});

/** The outcome that the host reported for its newest command. */
async function newestOutcome(db: Database, host: string): Promise<string | null> {
  const { outcome } = await db
    .selectFrom('host_events')
    .innerJoin('hosts', 'hosts.id', 'host_events.host_id')
    .select('host_events.outcome')
    .where('hosts.name', '=', host)
    .orderBy('host_events.sequence', 'desc')
    .executeTakeFirstOrThrow();
  return outcome;
}
