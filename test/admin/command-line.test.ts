import { describe, expect, inject, test } from 'vitest';
import { z } from 'zod';
import { Http } from '../../dev/kit/http.ts';
import { runProgram } from '../support/program.ts';
import { useCustomer } from '../support/reserved.ts';
import { useWorld } from '../support/world.ts';

function admin(commandArguments: string[], environment: Record<string, string> = {}) {
  const { apiUrl, adminToken } = inject('environment');
  return runProgram('ops/admin/main.ts', commandArguments, {
    environment: { API_URL: apiUrl, ADMIN_TOKEN: adminToken, ...environment },
  });
}

/** Runs a command that must succeed, and answers what it printed. */
async function output(...commandArguments: string[]): Promise<string> {
  const { code, stdout, stderr } = await admin(commandArguments);
  expect({ code, stderr }, commandArguments.join(' ')).toEqual({ code: 0, stderr: '' });
  return stdout.trimEnd();
}

async function json<Schema extends z.ZodType>(schema: Schema, ...command: string[]): Promise<z.infer<Schema>> {
  return schema.parse(JSON.parse(await output('--json', ...command)));
}

/** The cells of the table's line that begins so, and its headings. */
function row(table: string, first: string): string[] | undefined {
  const lines = table.split('\n').map((line) => line.trim().split(/\s{2,}/));
  return lines.find((cells) => cells[0] === first);
}

describe('the admin command', () => {
  test('makes and shows regions and pools', async () => {
    const world = await useWorld({ agents: 0, prefixLength: 28 });
    expect(await output('region', 'put', world.region, 'New York 3')).toBe(`region ${world.region}: New York 3`);
    const regions = await output('region', 'list');
    expect(row(regions, 'SLUG')).toEqual(['SLUG', 'NAME']);
    expect(row(regions, world.region)).toEqual([world.region, 'New York 3']);

    const pools = await output('pool', 'list');
    expect(pools.split('\n')[0]?.trim().split(/\s+/)).toEqual([
      'ID',
      'REGION',
      'CIDR',
      'TOTAL',
      'FREE',
      'QUARANTINED',
      'RESERVED',
      'ASSIGNED',
      'RELEASING',
    ]);
    const line = pools.split('\n').find((text) => text.includes(world.cidr));
    expect(line?.trim().split(/\s+/).slice(1)).toEqual([world.region, world.cidr, '14', '14', '0', '0', '0', '0']);
  });

  test('makes, shows and retires hosts', async () => {
    const world = await useWorld({ agents: 0 });
    const name = `${world.region}-1`;
    const register = ['host', 'register', name, '--region', world.region, '--anchor-cidr', '10.17.0.0/24'];
    expect(await output(...register)).toBe(`host ${name}: ${world.region}, 10.17.0.0/24, active`);
    const token = await output('host', 'token', name);
    expect(await new Http(world.admin.baseUrl, token).get('/host/v1/events')).toMatchObject({ status: 200 });
    expect(row(await output('host', 'list'), name)).toEqual([
      name,
      world.region,
      'active',
      '10.17.0.0/24',
      '0',
      '0',
      '-',
    ]);
    expect(await output('host', 'gone', name)).toBe(`host ${name} is gone; 0 open commands given an outcome`);
    expect(await output('host', 'returned', name)).toBe(`host ${name} is active`);
    expect(await output('host', 'revoke-tokens', name)).toBe('1 revoked');
  });

  test('makes and shows accounts and their tokens, as JSON for scripts', async () => {
    const world = await useWorld({ agents: 0 });
    const account = z.object({ id: z.int(), name: z.string(), reserved_ip_limit: z.int(), droplet_limit: z.int() });
    const name = `script-${world.region}`;
    const created = await json(
      z.object({ account }),
      ...['account', 'create', '--name', name, '--email', 'script@example.com', '--reserved-ip-limit', '7'],
    );
    expect(created.account).toMatchObject({ name, reserved_ip_limit: 7, droplet_limit: 25 });
    const id = String(created.account.id);
    const { accounts } = await json(z.object({ accounts: z.array(account) }), 'account', 'list');
    expect(accounts).toContainEqual(created.account);
    const limits = await output('account', 'limits', id, '--droplet-limit', '1');
    expect(row(limits, id)?.slice(-2)).toEqual(['7', '1']);

    const scopes = ['--scope', 'account:read', 'reserved_ip:read'];
    const made = await json(
      z.object({ id: z.int(), token: z.string() }),
      ...['token', 'create', id, '--name', 'script', ...scopes, '--requests-per-minute', '100'],
    );
    const http = new Http(world.admin.baseUrl, made.token);
    expect(await http.get('/v2/account')).toMatchObject({ status: 200 });
    expect(await http.post('/v2/reserved_ips', { region: world.region })).toMatchObject({ status: 403 });
    expect(await output('token', 'revoke', id, String(made.id))).toBe(`token ${made.id} of account ${id} is revoked`);
  });

  test('shows who has the most of a pool, and changes an account’s share of it', async () => {
    const { world, account } = await useCustomer({ agents: 0, prefixLength: 28, reservedIpLimit: 50 });
    await account.reserve(world.region);
    const id = String(account.id);
    const accounts = await output('pool', 'accounts', world.region, '--limit', '3');
    expect(row(accounts, 'IPV')).toEqual(['IPV', 'ACCOUNT', 'NAME', 'HELD', 'QUARANTINED', 'OF POOL']);
    expect(row(accounts, '4')).toEqual(['4', id, expect.stringMatching(/^account-/), '1', '0', '7.1 %']);

    const shares = async (...options: string[]) => row(await output('account', 'limits', id, ...options), id)?.slice(4);
    expect(await shares('--pool-share-held-percent', '80')).toEqual(['80 %', 'default', '50', '10000']);
    expect(await shares('--pool-share-per-hour-percent', '5')).toEqual(['80 %', '5 %', '50', '10000']);
    expect(await shares('--pool-share-held-percent', 'default')).toEqual(['default', '5 %', '50', '10000']);
    const log = await output('audit-log', 'list', '--account', id, '--limit', '3');
    expect(log).toContain('pool share held 80 %');
    expect(log).toContain('pool share per hour 5 %');
    expect(log).toContain('pool share held as for all');
    for (const percent of ['101', '-1', 'half', '']) {
      const { code, stderr } = await admin(['account', 'limits', id, '--pool-share-held-percent', percent]);
      expect(code, percent).toBe(1);
      expect(stderr).toMatch(/whole number|percentage/);
    }
  });

  test('ends with code 1 and the API’s reason when the API rejects', async () => {
    const world = await useWorld({ agents: 0 });
    const rejected: [command: string[], reason: RegExp][] = [
      [['pool', 'import', world.region, world.cidr], /overlaps with the pool .*\(409\)/],
      [['pool', 'import', world.region, '198.18.0.1/24'], /bits set behind its prefix.*\(422\)/],
      [['pool', 'import', 'nowhere', '198.18.0.0/24'], /There is no region nowhere.*\(422\)/],
      [['host', 'gone', 'no-such-host'], /could not be found.*\(404\)/],
      [['--json', 'account', 'limits', '999999999', '--droplet-limit', '1'], /could not be found.*\(404\)/],
    ];
    for (const [command, reason] of rejected) {
      const { code, stdout, stderr } = await admin(command);
      expect({ code, stdout }, command.join(' ')).toEqual({ code: 1, stdout: '' });
      expect(stderr, command.join(' ')).toMatch(reason);
    }
  });

  test('ends with code 1 and what to do when it is used wrongly', async () => {
    const wrong: [command: string[], environment: Record<string, string>, reason: RegExp][] = [
      [['pool', 'list'], { ADMIN_TOKEN: 'wrong' }, /Unable to authenticate you.*\(401\)/],
      [['pool', 'list'], { API_URL: 'http://127.0.0.1:1' }, /http:\/\/127\.0\.0\.1:1 does not answer/],
      [['pool', 'list'], { API_URL: '', ADMIN_TOKEN: '' }, /API_URL[\s\S]*ADMIN_TOKEN/],
      [['pool', 'export'], {}, /unknown command/],
      [['pool', 'import', 'nyc3'], {}, /cidr/],
      [['host', 'register', 'hv-1'], {}, /--region/],
      [['account', 'create', '--name', 'x', '--email', 'x@example.com', '--droplet-limit', 'many'], {}, /whole number/],
    ];
    for (const [command, environment, reason] of wrong) {
      const { code, stdout, stderr } = await admin(command, environment);
      expect({ code, stdout }, command.join(' ')).toEqual({ code: 1, stdout: '' });
      expect(stderr, command.join(' ')).toMatch(reason);
      expect(stderr, 'no stack trace').not.toMatch(/^\s+at /m);
    }
  });
});
