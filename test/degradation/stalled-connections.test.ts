import { setTimeout as sleep } from 'node:timers/promises';
import { expect, inject, onTestFinished, test } from 'vitest';
import type { Database } from '../../db/database.ts';
import type { Account } from '../../dev/kit/account.ts';
import type { Answer } from '../../dev/kit/http.ts';
import { useDatabase } from '../support/database.ts';
import { useMysqlProxy } from '../support/link.ts';
import { createPrivateEnvironment } from '../support/private-environment.ts';
import { useWorld } from '../support/world.ts';

/** What the API asks MySQL for by itself all the time. */
const BACKGROUND = /signalled_at|(?:from|update) `?outbox/i;
/** More round trips than any write has. */
const ROUND_TRIPS = 16;
/** A request gives MySQL 1.5 s, and asks 3 s more about a commit in doubt; the rest is what this machine takes. */
const ANSWERED_WITHIN_MS = 9_000;

test('a write whose connection stalls at any statement is done whole, or rejected and not done at all', async () => {
  const proxy = await useMysqlProxy(BACKGROUND);
  const environment = await createPrivateEnvironment({ settings: { MYSQL_URL: proxy.mysqlUrl } });
  onTestFinished(() => environment.close());
  await environment.startWorker({ settings: { MYSQL_URL: inject('environment').mysqlUrl } });
  const world = await useWorld({ agents: 1, apiUrl: environment.apiUrl });
  const db = useDatabase();
  const met: Record<string, number> = {};

  for (const [name, prepare] of Object.entries(WRITES)) {
    for (let afterStatements = 0; afterStatements < ROUND_TRIPS; afterStatements++) {
      // Of its own, so that nothing which is still under way is taken for the effect of this one.
      const account = await world.account();
      const write = await prepare(account, world.region, await world.droplets(account, 1));
      const before = await stateOf(db, account);
      let stalled = false;
      void proxy.dropNext({ afterStatements, stall: true }).then(() => {
        stalled = true;
      });
      const begin = performance.now();
      const answer = await write();
      proxy.disarm();
      expect(performance.now() - begin, `${name}, statement ${afterStatements}`).toBeLessThan(ANSWERED_WITHIN_MS);
      if (!stalled) break;
      met[name] = (met[name] ?? 0) + 1;
      const after = await settledState(db, account);
      const what = `${name}, statement ${afterStatements}: ${answer.status} ${answer.text}`;
      if (answer.status < 300) expect(after, what).not.toEqual(before);
      else expect([503, 504], what).toContain(answer.status);
      if (answer.status === 503) expect(after, what).toEqual(before);
      // What was done is in the audit log, and what was not is not there.
      expect(after.entries - before.entries, what).toBe(sameBut(before, after) ? 0 : 1);
    }
    expect(met[name], name).toBeGreaterThan(1);
  }
  console.log(`statements at which a connection stalled: ${JSON.stringify(met)}`);
}, 600_000);

type Prepare = (account: Account, region: string, dropletIds: number[]) => Promise<() => Promise<Answer>>;

const WRITES: Record<string, Prepare> = {
  reserve: async (account, region) => () => account.http.post('/v2/reserved_ips', { region }),
  assign: async (account, region, [droplet = 0]) => {
    const ip = await account.reserve(region);
    return () => account.requestAssign(ip, droplet);
  },
  release: async (account, region) => {
    const ip = await account.reserve(region);
    return () => account.requestRelease(ip);
  },
  'create a droplet': async (account, region) => () =>
    account.http.post('/v2/droplets', { name: 'one', region, size: 's-1vcpu-1gb', image: 'debian-12-x64' }),
  'rename a droplet':
    async (account, _, [droplet]) =>
    () =>
      account.http.post(`/v2/droplets/${droplet}/actions`, { type: 'rename', name: 'another' }),
  'destroy a droplet':
    async (account, _, [droplet]) =>
    () =>
      account.http.delete(`/v2/droplets/${droplet}`),
};

/** Everything of an account that a write may change; what workflows do afterwards is left out. */
async function stateOf(db: Database, { id }: Account) {
  const droplets = await db
    .selectFrom('droplets')
    .select(['id', 'name', 'deleted_at'])
    .where('account_id', '=', id)
    .orderBy('id')
    .execute();
  const count = async (table: 'actions' | 'operations' | 'audit_log') => {
    const row = await db
      .selectFrom(table)
      .select(({ fn }) => fn.countAll<number>().as('rows'))
      .where('account_id', '=', id)
      .executeTakeFirstOrThrow();
    return Number(row.rows);
  };
  const held = await db
    .selectFrom('addresses')
    .select(['address', 'last_action_id'])
    .where('account_id', '=', id)
    .orderBy('id')
    .execute();
  const done = await db
    .selectFrom('audit_log')
    .select(({ fn }) => fn.countAll<number>().as('rows'))
    .where('account_id', '=', id)
    .where('outcome', '=', 'done')
    .executeTakeFirstOrThrow();
  return {
    droplets,
    held,
    actions: await count('actions'),
    operations: await count('operations'),
    entries: Number(done.rows),
  };
}

type State = Awaited<ReturnType<typeof stateOf>>;

/** A session that was ended may still be rolling back: what is seen twice, a moment apart, stands. */
async function settledState(db: Database, account: Account): Promise<State> {
  for (;;) {
    const seen = await stateOf(db, account);
    await sleep(100);
    if (JSON.stringify(await stateOf(db, account)) === JSON.stringify(seen)) return seen;
  }
}

function sameBut(before: State, after: State): boolean {
  const { entries: _, ...was } = before;
  const { entries: __, ...is } = after;
  return JSON.stringify(was) === JSON.stringify(is);
}
