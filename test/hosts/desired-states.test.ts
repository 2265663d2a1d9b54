import { sql } from 'kysely';
import { pino } from 'pino';
import { expect, inject, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { DesiredStates } from '../../api/host-commands/desired-states.ts';
import { WaitingHosts } from '../../api/host-commands/waiting-hosts.ts';
import { openDatabase } from '../../db/database.ts';
import { expectAnswer } from '../../dev/kit/http.ts';
import { useCustomer } from '../support/reserved.ts';
import { useWorld } from '../support/world.ts';

const stateSchema = z.object({
  sequence: z.int(),
  attachments: z.array(z.object({ address: z.string(), generation: z.int() })),
});

test('a desired state is never older than what another API process has answered before', async () => {
  const { world, account, host } = await useCustomer({ agents: 0, manualHosts: 1 });
  const elsewhere = account.at(inject('environment').secondApiUrl);
  const [droplet = 0] = await world.droplets(account, 1);
  const ip = await account.reserve(world.region);
  const read = async () => expectAnswer(await host.http.get('/host/v1/desired-state'), 200, stateSchema);

  for (let round = 0; round < 10; round++) {
    await read();
    const assigned = await elsewhere.startAssign(ip, droplet);
    const { sequence, attachments } = await read();
    const attach = await host.confirm(ip, 'attach');
    expect(sequence).toBe(attach.sequence);
    expect(attachments).toMatchObject([{ address: ip, generation: attach.generation }]);
    await account.completed(assigned);

    await read();
    const unassigned = await elsewhere.startUnassign(ip);
    expect((await read()).attachments).toEqual([]);
    await host.confirm(ip, 'detach');
    await account.completed(unassigned);
  }
});

test('hosts that were given nothing are answered without queries of their own', async () => {
  const world = await useWorld({ agents: 0, manualHosts: 3 });
  const db = openDatabase({ url: inject('environment').mysqlUrl, poolSize: 1 });
  const waitingHosts = new WaitingHosts({ db, logger: pino({ level: 'silent' }) });
  onTestFinished(async () => {
    waitingHosts.close();
    await db.destroy();
  });
  const names = world.manualHosts.map(({ name }) => name);
  const hosts = await db.selectFrom('hosts').select(['id', 'name']).where('name', 'in', names).execute();
  const desiredStates = new DesiredStates({ db, waitingHosts });
  const readAll = () => Promise.all(hosts.map((host) => desiredStates.read(host)));
  const first = await readAll();
  // The first tick is not preceded by any, so it knows nothing of the time before.
  await readAll();

  const before = await countQueries(db);
  const rounds = 10;
  for (let round = 0; round < rounds; round++) expect(await readAll()).toEqual(first);

  expect((await countQueries(db)) - before).toBeLessThanOrEqual(2 * rounds);
});

/** How many statements the only connection of a pool has sent. */
async function countQueries(db: ReturnType<typeof openDatabase>): Promise<number> {
  const { rows } = await sql<{ Value: string }>`SHOW SESSION STATUS LIKE 'Questions'`.execute(db);
  return Number(rows[0]?.Value);
}
