import { sql } from 'kysely';
import { describe, expect, inject, test } from 'vitest';
import { z } from 'zod';
import { createReservedIpClient } from '../../client/index.ts';
import type { Database } from '../../db/database.ts';
import { expectAnswer, Http } from '../../dev/kit/http.ts';
import { useDatabase } from '../support/database.ts';
import { runProgram } from '../support/program.ts';
import { useCustomer, useReserved } from '../support/reserved.ts';
import { useTemporal } from '../support/temporal.ts';
import { useWorld, type World } from '../support/world.ts';

const entrySchema = z.looseObject({
  id: z.int(),
  requester: z.looseObject({ kind: z.string(), name: z.string().nullable(), request_id: z.string().nullable() }),
  account_id: z.int().nullable(),
  action: z.string(),
  subject: z.string(),
  outcome: z.string(),
  detail: z.string().nullable(),
  operation_id: z.string().nullable(),
});

/** What an operator reads, oldest first. */
async function entriesOf({ admin }: World, filter: Record<string, string>) {
  const answer = await admin.get(`/internal/v1/audit-log?${new URLSearchParams({ limit: '1000', ...filter })}`);
  return expectAnswer(answer, 200, z.object({ entries: z.array(entrySchema) })).entries.reverse();
}

/** The number of a token by the token itself. */
async function tokenNumber(db: Database, accountId: number): Promise<string> {
  const { id } = await db
    .selectFrom('tokens')
    .select('id')
    .where('account_id', '=', accountId)
    .executeTakeFirstOrThrow();
  return String(id);
}

describe('the audit log', () => {
  test('has every change of an address with the token that asked for it and the id of the request', async () => {
    const db = useDatabase();
    const { world, account, droplet: dropletId, ip } = await useReserved({ agents: 1 });
    const headers = { 'x-request-id': `walk-${ip}`, 'x-forwarded-for': '192.0.2.77' };
    const accepted = await account.requestAssign(ip, dropletId, headers);
    expect(accepted.status).toBe(201);
    await account.completed({ id: z.object({ action: z.object({ id: z.int() }) }).parse(accepted.body).action.id });
    await account.unassign(ip);
    await account.release(ip);

    const entries = await entriesOf(world, { subject: ip });

    expect(entries.map(({ action }) => action)).toEqual(['reserve', 'assign', 'unassign', 'release']);
    const name = await tokenNumber(db, account.id);
    for (const entry of entries) {
      expect(entry).toMatchObject({ requester: { kind: 'token', name }, account_id: account.id, outcome: 'done' });
      expect(entry.operation_id).not.toBeNull();
    }
    expect(entries[1]).toMatchObject({
      requester: { request_id: `walk-${ip}`, remote: '192.0.2.77 via 127.0.0.1' },
      detail: expect.stringMatching(new RegExp(`^action \\d+, droplet ${dropletId}$`)),
    });
  });

  test('has what was rejected, whether by one read, by admit, by a missing right or by the form', async () => {
    const { world, account, ip } = await useReserved({ agents: 1, reservedIpLimit: 1, droplets: 0 });
    const path = `/v2/reserved_ips/${ip}/actions`;
    expect((await account.requestAssign(ip, 1)).status).toBe(404);
    expect((await account.http.post('/v2/reserved_ips', { region: world.region })).status).toBe(422);
    expect((await account.http.post(path, { type: 'fly' })).status).toBe(422);
    const reader = new Http(
      inject('environment').apiUrl,
      await world.token(account.id, { scopes: ['reserved_ip:read'] }),
    );
    expect((await reader.delete(`/v2/reserved_ips/${ip}`)).status).toBe(403);
    expect((await reader.get(`/v2/reserved_ips/${ip}`)).status, 'a read').toBe(200);

    const rejected = (await entriesOf(world, { account: String(account.id) })).filter(
      ({ outcome }) => outcome === 'refused',
    );

    expect(rejected).toMatchObject([
      { action: 'POST /v2/reserved_ips/:ip/actions', subject: path, detail: expect.stringMatching(/^404 /) },
      { action: 'POST /v2/reserved_ips', detail: expect.stringMatching(/^422 /) },
      { action: 'POST /v2/reserved_ips/:ip/actions', detail: expect.stringMatching(/^422 /) },
      { action: 'DELETE /v2/reserved_ips/:ip', detail: expect.stringMatching(/^403 /) },
    ]);
    expect(rejected[0]?.requester.name).not.toBe(rejected[3]?.requester.name);
  });

  test('has the droplets that a customer makes, renames and deletes', async () => {
    const { world, account, droplet: dropletId } = await useCustomer({ agents: 1, droplets: 1 });
    await account.http.post(`/v2/droplets/${dropletId}/actions`, { type: 'rename', name: 'other' });
    await account.http.delete(`/v2/droplets/${dropletId}`);
    const entries = await entriesOf(world, { subject: `droplet ${dropletId}` });
    expect(entries.map(({ action }) => action)).toEqual(['create droplet', 'rename droplet', 'delete droplet']);
  });

  test('names the internal service that asked, also for what was rejected', async () => {
    const world = await useWorld({ agents: 0 });
    const { id: accountId } = await world.account({ reservedIpLimit: 1 });
    const client = createReservedIpClient({ temporal: await useTemporal(), service: 'load-balancers' });
    const target = { region: world.region, dropletId: null };
    await client.reserve({ accountId, target });
    await client.reserve({ accountId, target });
    const requester = { kind: 'service', name: 'load-balancers' };
    const entries = await entriesOf(world, { account: String(accountId) });
    expect(entries.filter(({ action }) => action === 'reserve')).toMatchObject([
      { requester, outcome: 'done' },
      { requester, outcome: 'refused', detail: 'limit_reached' },
    ]);
  });

  test('has what operators do, and what they were rejected, and never a token', async () => {
    const world = await useWorld({ agents: 0 });
    const { admin, region, cidr } = world;
    const host = `${region}-host`;
    const secret = await world.registerHost(host);
    await admin.post(`/internal/v1/hosts/${host}/gone`);
    await admin.post(`/internal/v1/hosts/${host}/returned`);
    await admin.send('DELETE', `/internal/v1/hosts/${host}/tokens`);
    expect((await admin.post('/internal/v1/pools', { region, cidr })).status).toBe(409);
    const account = await world.account();
    const made = await admin.post(`/internal/v1/accounts/${account.id}/tokens`, { name: 'ci' });
    const { id, token } = expectAnswer(made, 201, z.object({ id: z.int(), token: z.string() }));
    await admin.send('PATCH', `/internal/v1/accounts/${account.id}`, { body: { droplet_limit: 7 } });
    await admin.delete(`/internal/v1/accounts/${account.id}/tokens/${id}`);

    const actionsAbout = async (subject: string) => (await entriesOf(world, { subject })).map(({ action }) => action);
    expect(await actionsAbout(`region ${region}`)).toEqual(['put region']);
    expect(await actionsAbout(`pool ${cidr}`)).toEqual(['import pool']);
    expect(await actionsAbout(`host ${host}`)).toEqual([
      'register host',
      'create host token',
      'host gone',
      'host returned',
      'revoke host tokens',
    ]);
    expect(await actionsAbout(`account ${account.id}`)).toEqual(['create account', 'change limits']);
    expect(await actionsAbout(`token ${id}`)).toEqual(['create token', 'revoke token']);
    const entries = await entriesOf(world, {});
    expect(entries).toContainEqual(
      expect.objectContaining({ action: 'POST /internal/v1/pools', outcome: 'refused', subject: '/internal/v1/pools' }),
    );
    expect(JSON.stringify(entries)).not.toMatch(new RegExp(`${secret}|${token}|${inject('environment').adminToken}`));
  });

  test('is nothing that a customer or a host may read', async () => {
    const { world, account } = await useCustomer({ agents: 0 });
    const host = new Http(inject('environment').apiUrl, await world.registerHost(`${world.region}-host`));
    for (const http of [account.http, host, new Http(inject('environment').apiUrl, null)]) {
      expect((await http.get('/internal/v1/audit-log')).status).toBe(401);
    }
  });

  test('cannot be changed or deleted, by the database itself', async () => {
    const db = useDatabase();
    const world = await useWorld({ agents: 0 });
    const [entry] = await entriesOf(world, { subject: `region ${world.region}` });
    const id = entry?.id ?? 0;
    await expect(
      db.updateTable('audit_log').set({ outcome: 'refused' }).where('id', '=', id).execute(),
    ).rejects.toThrow('audit_log is append-only');
    await expect(db.deleteFrom('audit_log').where('id', '=', id).execute()).rejects.toThrow('audit_log is append-only');
    await expect(sql`REPLACE INTO audit_log SELECT * FROM audit_log WHERE id = ${id}`.execute(db)).rejects.toThrow(
      'audit_log numbers its entries itself',
    );
    expect(await entriesOf(world, { subject: `region ${world.region}` })).toEqual([entry]);
  });

  test('is read by operators on the command line', async () => {
    const world = await useWorld({ agents: 0 });
    const { apiUrl, adminToken } = inject('environment');
    const environment = { API_URL: apiUrl, ADMIN_TOKEN: adminToken };
    const command = ['audit-log', 'list', '--subject', `region ${world.region}`, '--since', '2026-01-01T00:00:00Z'];
    const { code, stdout } = await runProgram('ops/admin/main.ts', command, { environment });
    expect(code).toBe(0);
    expect(stdout).toMatch(/WHO .*ACTION/);
    expect(stdout).toMatch(/admin .*put region .*done/);
  });
});
