import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type Database, openDatabase } from '../../../db/database.ts';
import { expectAnswer } from '../../../dev/kit/http.ts';
import { until } from '../../../dev/kit/until.ts';
import { isAvailable, type PrivateServer, type Product, startPrivateServer } from '../../support/mysql-servers.ts';
import { createPrivateEnvironment, type PrivateEnvironment } from '../../support/private-environment.ts';
import { createWorld, type World } from '../../support/world.ts';
import { type Callers, knockEverywhere } from './doors.ts';
import { HOSTILE_STRINGS, INJECTED_LIMIT } from './strings.ts';
import { changes, differences, dump } from './tables.ts';

/** By what they do to a text in quotes; the empty one neither cuts nor rejects. */
const GLOBAL_MODES = ['NO_BACKSLASH_ESCAPES', 'ANSI_QUOTES,PIPES_AS_CONCAT', ''];

/**
 * Whatever text comes in by whichever door, and however the database server is configured: it is stored as it was sent,
 * or not at all, and changes nothing else. On a server of its own, whose global modes it changes.
 */
export async function describeInjection(product: Product): Promise<void> {
  const available = await isAvailable(product);
  describe.skipIf(!available)(`on ${product}`, () => {
    let server: PrivateServer;
    let root: Database;
    let environment: PrivateEnvironment;
    let db: Database;

    beforeAll(async () => {
      server = await startPrivateServer(product);
      root = openDatabase({ url: server.url, poolSize: 1 });
      environment = await createPrivateEnvironment({
        databaseServer: server.url,
        // The tables are compared, and the last use of a token is a change.
        settings: { API_TOKEN_USES_EVERY_SECONDS: '3600' },
      });
      ({ db } = environment);
    });
    afterAll(async () => {
      await environment?.close();
      await root?.destroy();
      await server?.close();
    });

    describe.each(GLOBAL_MODES)('whose global sql_mode is "%s"', (modes) => {
      beforeEach(async () => {
        await sql`SET GLOBAL sql_mode = ${modes}`.execute(root);
        await endSessions(root);
      });

      test('no text at any door changes anything but what it says', { timeout: 240_000 }, async () => {
        const callers = await makeCallers(environment.apiUrl);
        await outboxIsEmpty(db);
        const before = await dump(db);
        const failures = await knockEverywhere(callers);
        const after = await dump(db);
        const limits = await db.selectFrom('accounts').select('reserved_ip_limit').execute();
        expect(limits.map((row) => row.reserved_ip_limit)).not.toContain(INJECTED_LIMIT);
        expect(differences(before, after, ['audit_log', 'idempotency_keys'])).toEqual([]);
        expect(changes(before, after, [])).toEqual([]);
        expect(failures).toEqual([]);
      });

      test('what is stored is what was sent, byte for byte', { timeout: 120_000 }, async () => {
        const callers = await makeCallers(environment.apiUrl);
        const { host, ip } = callers;
        await callers.account.startAssign(ip, callers.dropletId);
        const event = await host.command(ip, 'attach');
        await outboxIsEmpty(db);
        const before = await dump(db);

        const message = HOSTILE_STRINGS.join('|').slice(0, 1_024).toWellFormed();
        expect(await host.acknowledge(event, 'failed', message)).toBe('recorded');
        for (const [index, text] of HOSTILE_STRINGS.entries()) await store(callers, text, index);

        const prefix = callers.world.region;
        expect(await texts(db, 'SELECT image_slug', `FROM droplets WHERE name LIKE '${prefix}-%'`)).toEqual(
          HOSTILE_STRINGS,
        );
        for (const table of ['accounts', 'tokens', 'regions']) {
          const column = table === 'regions' ? 'slug' : 'name';
          const named = await texts(db, 'SELECT name', `FROM ${table} WHERE ${column} LIKE '${prefix}-%'`);
          expect(named, table).toEqual(HOSTILE_STRINGS.map((text, index) => `${prefix}-${index}${text}.`));
        }
        expect(
          await texts(db, 'SELECT message', `FROM host_events WHERE message IS NOT NULL ORDER BY host_id DESC LIMIT 1`),
        ).toEqual([message]);
        expect(changes(before, await dump(db), ['host_events', 'hosts'])).toEqual([]);
      });

      test('every session has the modes of this project, and none of the server', async () => {
        const { rows } = await sql<{ modes: string }>`
          SELECT @@SESSION.sql_mode AS modes, @@SESSION.character_set_client AS charset, @@SESSION.time_zone AS zone`.execute(
          db,
        );
        expect(rows).toMatchObject([{ charset: 'utf8mb4', zone: '+00:00' }]);
        expect(rows[0]?.modes).toMatch(/STRICT_ALL_TABLES/);
        expect(rows[0]?.modes).not.toMatch(/NO_BACKSLASH_ESCAPES|ANSI_QUOTES|PIPES_AS_CONCAT/);
      });

      test('a session whose modes a proxy has reset is still not open to a text', async () => {
        const session = openDatabase({ url: environment.mysqlUrl, poolSize: 1 });
        try {
          await sql`SET SESSION sql_mode = ${modes}`.execute(session);
          for (const text of HOSTILE_STRINGS) {
            const { rows } = await sql`SELECT ${text} AS value, ${Buffer.from(text)} AS bytes`.execute(session);
            expect(rows).toEqual([{ value: text, bytes: Buffer.from(text) }]);
          }
        } finally {
          await session.destroy();
        }
      });
    });
  });
}

/** A region of its own, a customer who attacks, another one whose limit is worth changing, and a host. */
async function makeCallers(apiUrl: string): Promise<Callers> {
  const world: World = await createWorld({ agents: 0, manualHosts: 1, apiUrl });
  const account = await world.account({ reservedIpLimit: 50 });
  await world.account({ reservedIpLimit: 7 });
  const [dropletId = 0] = await world.droplets(account, 1);
  const [host] = world.manualHosts;
  if (!host) throw new Error('no host');
  return { world, account, host, dropletId, ip: await account.reserve(world.region) };
}

/** Puts a text into every field that may have any, and finds it again by it. */
async function store({ world, account }: Callers, text: string, index: number): Promise<void> {
  const { admin, region } = world;
  const [name, tag] = [`${region}-${index}`, `${text}${region}${index}`];
  const droplet = { name, region, size: 's-1vcpu-1gb', image: text, tags: [tag, text] };
  const made = await account.http.post('/v2/droplets', droplet);
  const madeSchema = z.object({ droplet: z.object({ tags: z.array(z.string()) }) });
  expect(expectAnswer(made, 202, madeSchema).droplet.tags.toSorted()).toEqual([tag, text].toSorted());
  const found = await account.http.get(`/v2/droplets?tag_name=${encodeURIComponent(tag)}`);
  expect(found.body, tag).toMatchObject({ droplets: [{ name }] });
  // What is around it keeps white space at its end from being trimmed.
  const label = `${name}${text}.`;
  const created = await admin.post('/internal/v1/accounts', { name: label, email: `${name}@example.com` });
  const { id } = expectAnswer(created, 201, z.object({ account: z.object({ id: z.int() }) })).account;
  await world.token(id, { name: label });
  expectAnswer(await admin.put(`/internal/v1/regions/${name}`, { name: label }), 200, z.object({}));
}

/** The one column of what is selected, in the order in which it was inserted. */
async function texts(db: Database, select: string, from: string): Promise<string[]> {
  const order = from.includes('ORDER BY') ? '' : 'ORDER BY id';
  const { rows } = await sql<Record<string, string>>`${sql.raw(`${select} AS text ${from} ${order}`)}`.execute(db);
  return rows.map(({ text = '' }) => text);
}

/** Sessions keep the modes that they began with: ends all but this one, so that the next begin with those of the server. */
async function endSessions(root: Database): Promise<void> {
  const { rows } = await sql<{ Id: number; db: string | null }>`SHOW PROCESSLIST`.execute(root);
  const { rows: own } = await sql<{ id: number }>`SELECT CONNECTION_ID() AS id`.execute(root);
  for (const { Id: id, db } of rows) {
    if (db === null || id === own[0]?.id) continue;
    // It may have ended by itself since.
    await sql`KILL ${sql.lit(id)}`.execute(root).catch(() => {});
  }
}

/** Nothing of what was done before is under way any more. */
async function outboxIsEmpty(db: Database): Promise<void> {
  await until('the outbox is empty', async () => {
    return (await db.selectFrom('outbox').select('operation_id').execute()).length === 0;
  });
}
