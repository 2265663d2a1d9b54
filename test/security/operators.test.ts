import { randomBytes } from 'node:crypto';
import { expect, inject, test } from 'vitest';
import { z } from 'zod';
import { expectAnswer, Http } from '../../dev/kit/http.ts';
import { until } from '../../dev/kit/until.ts';
import { useDatabase } from '../support/database.ts';
import { useApiProcess } from '../support/processes.ts';
import { runProgram } from '../support/program.ts';
import { useCustomer } from '../support/reserved.ts';

const newName = () => `op-${randomBytes(4).toString('hex')}`;
const tokenSchema = z.object({ id: z.int(), token: z.string() });
const useSchema = z.object({
  id: z.int(),
  last_used_at: z.string().nullable(),
  last_used_from: z.string().nullable(),
  revoked_at: z.string().nullable(),
});

async function useOperator(url = inject('environment').apiUrl) {
  const admin = new Http(url, inject('environment').adminToken);
  const name = newName();
  const { token } = expectAnswer(await admin.post(`/internal/v1/operators/${name}/tokens`), 201, tokenSchema);
  return { admin, name, token, http: new Http(url, token) };
}

async function entriesAbout(subject: string) {
  const { apiUrl, adminToken } = inject('environment');
  const answer = await new Http(apiUrl, adminToken).get(
    `/internal/v1/audit-log?subject=${encodeURIComponent(subject)}`,
  );
  const entry = z.object({
    action: z.string(),
    requester: z.object({ kind: z.string(), name: z.string().nullable() }),
  });
  return expectAnswer(answer, 200, z.object({ entries: z.array(entry) })).entries.map(({ action, requester }) => [
    action,
    requester.kind,
    requester.name,
  ]);
}

test('an operator with a token of their own is named in the audit log, and who uses the admin token is “admin”', async () => {
  const { admin, name, http } = await useOperator();
  const region = `r${randomBytes(4).toString('hex')}`;
  expect(await http.put(`/internal/v1/regions/${region}`, { name: 'One' })).toMatchObject({ status: 200 });
  expect(await admin.put(`/internal/v1/regions/${region}`, { name: 'Two' })).toMatchObject({ status: 200 });

  const about = await entriesAbout(`region ${region}`);
  expect(about.map(([, kind, requester]) => [kind, requester])).toEqual([
    ['admin', 'admin'],
    ['admin', name],
  ]);
  expect(await entriesAbout(`operator ${name}`)).toEqual([['create operator token', 'admin', 'admin']]);
});

test('what an operator is rejected is in the audit log by name', async () => {
  const { name, http } = await useOperator();
  const host = `h-${randomBytes(4).toString('hex')}`;
  expect(await http.post(`/internal/v1/hosts/${host}/gone`)).toMatchObject({ status: 404 });
  const [entry] = await entriesAbout(`/internal/v1/hosts/${host}/gone`);
  expect(entry?.slice(1)).toEqual(['admin', name]);
});

test('a revoked token of an operator stops within a second in every process, and no others do', async () => {
  const { admin, name, http } = await useOperator();
  const other = await useOperator();
  const second = http.at(inject('environment').secondApiUrl);
  for (const one of [http, second]) expect(await one.get('/internal/v1/regions')).toMatchObject({ status: 200 });

  const revoked = await admin.delete(`/internal/v1/operators/${name}/tokens`);
  expect(expectAnswer(revoked, 200, z.object({ revoked: z.int() }))).toEqual({ revoked: 1 });
  for (const one of [http, second]) {
    await until('it is rejected', async () => (await one.get('/internal/v1/regions')).status === 401, 1_000);
  }
  expect(await other.http.get('/internal/v1/regions')).toMatchObject({ status: 200 });
  expect(await admin.delete(`/internal/v1/operators/${newName()}/tokens`)).toMatchObject({ status: 404 });
});

test.each(['admin', '', 'A', '-x', 'a b', 'x'.repeat(64), '%0aadmin'])(
  '%j is no name for an operator',
  async (name) => {
    const { admin } = await useOperator();
    const answer = await admin.post(`/internal/v1/operators/${encodeURIComponent(name)}/tokens`);
    expect([404, 422]).toContain(answer.status);
  },
);

test('an operator’s token opens nothing of customers and hosts, and is stored as a hash only', async () => {
  const { token, http } = await useOperator();
  expect(await http.get('/v2/account')).toMatchObject({ status: 401 });
  expect(await http.get('/host/v1/events')).toMatchObject({ status: 401 });
  const db = useDatabase();
  const rows = await db.selectFrom('operator_tokens').selectAll().execute();
  expect(JSON.stringify(rows)).not.toContain(token);
});

test('operators see when and from where each token was used last, which costs a reading customer no write', async () => {
  const { url } = await useApiProcess({ API_TOKEN_USES_EVERY_SECONDS: '0.2', API_TRUSTED_PROXIES: '127.0.0.1' });
  const { world, account } = await useCustomer({ agents: 0, manualHosts: 1 });
  const hostName = world.manualHosts[0]?.name ?? '';
  const operator = await useOperator();
  const headers = { 'x-forwarded-for': '198.51.100.77' };
  const uses = async () => {
    const read = async (path: string, key: string) =>
      expectAnswer(
        await world.admin.get(path),
        200,
        z.record(z.string(), z.array(z.looseObject({ ...useSchema.shape }))),
      )[key];
    return [
      (await read(`/internal/v1/accounts/${account.id}/tokens`, 'tokens'))?.at(0),
      (await read(`/internal/v1/hosts/${hostName}/tokens`, 'tokens'))?.at(0),
      (await read('/internal/v1/operator-tokens', 'operator_tokens'))?.find(({ name }) => name === operator.name),
    ];
  };
  expect((await uses()).map((use) => use?.last_used_at)).toEqual([null, null, null]);

  await account.http.at(url).get('/v2/account', { headers });
  await world.manualHosts[0]?.http.at(url).get('/host/v1/desired-state', { headers });
  await operator.http.at(url).get('/internal/v1/regions', { headers });

  await until('each use is shown', async () => (await uses()).every((use) => use?.last_used_at));
  const now = Date.now();
  for (const use of await uses()) {
    expect(use?.last_used_from).toBe('198.51.100.77');
    expect(Math.abs(now - Date.parse(use?.last_used_at ?? ''))).toBeLessThan(60_000);
  }
});

test('operators make, list and revoke their tokens on the command line, with a token of their own', async () => {
  const { apiUrl } = inject('environment');
  const { token } = await useOperator();
  const run = async (...words: string[]) => {
    const { code, stdout, stderr } = await runProgram('ops/admin/main.ts', words, {
      environment: { API_URL: apiUrl, ADMIN_TOKEN: token },
    });
    expect({ code, stderr }, words.join(' ')).toEqual({ code: 0, stderr: '' });
    return stdout.trim();
  };
  const name = newName();
  expect(await run('operator-token', 'create', name)).toMatch(/^ripo_[\w-]{43}$/);
  const list = await run('operator-token', 'list');
  expect(list.split('\n')[0]?.split(/\s{2,}/)).toEqual(['NAME', 'ID', 'CREATED', 'LAST USED', 'FROM', 'REVOKED']);
  expect(list.split('\n').find((line) => line.startsWith(name))).toMatch(/ - +- +-$/);
  expect(await run('operator-token', 'revoke', name)).toBe('1 revoked');
});

test('an API with a secret that everybody knows does not start in production, and says so in one line', async () => {
  const { code, stderr } = await runProgram('api/main.ts', [], {
    environment: {
      NODE_ENV: 'production',
      MYSQL_URL: inject('environment').mysqlUrl,
      KAFKA_BROKERS: inject('environment').kafkaBrokers,
      TEMPORAL_ADDRESS: inject('environment').temporalAddress,
      ADMIN_TOKEN: 'admin-token-for-development',
    },
  });
  expect(code).toBe(1);
  expect(stderr.trim().split('\n')).toEqual([
    'The configuration is not usable:',
    '  ADMIN_TOKEN: the token is one that everybody knows; NODE_ENV=production needs one of your own',
  ]);
});
