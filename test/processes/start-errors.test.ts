import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { freePort, listenOnLoopback } from '../../dev/environment/ports.ts';
import { useFolder } from '../support/folder.ts';
import { PROGRAMS_ON_MYSQL, type ProgramEnd, runProgram } from '../support/program.ts';

/*
 * What a process says when it cannot start: what is wrong and what to do, in one line or a short list.
 */

type Environment = Record<string, string>;

/** Nobody listens on this port. */
const NOBODY = '127.0.0.1:1';
/** An account, and a time, that a statement may be asked for. */
const STATEMENT = ['--account', '1', '--from', '2026-11-01', '--to', '2026-11-02'];

/** Every process and command, with the arguments that it cannot do without. */
const SCRIPTS: Record<string, string[]> = {
  'api/main.ts': [],
  'workers/main.ts': [],
  'edge/main.ts': [],
  'edge/flip.ts': [],
  'host/main.ts': ['--host', 'hv-1'],
  'ops/admin/main.ts': ['region', 'list'],
  'ops/migrate/main.ts': [],
  'ops/deploy/main.ts': ['status'],
  'ops/consistency/main.ts': [],
  'ops/audit-log/main.ts': ['verify'],
  'ops/billing-statement/main.ts': STATEMENT,
  'ops/codec-endpoint/main.ts': [],
  'examples/load-balancer/main.ts': [],
  'dev/legacy/main.ts': [],
  'dev/legacy/services/main.ts': [],
};

/** All settings that a process needs to start, on the servers of the run, and more than each needs. */
function settings(): Environment {
  const { mysqlUrl, temporalAddress, kafkaBrokers, workflowBundle, adminToken, apiUrl } = inject('environment');
  return {
    MYSQL_URL: mysqlUrl,
    TEMPORAL_ADDRESS: temporalAddress,
    KAFKA_BROKERS: kafkaBrokers,
    WORKFLOW_BUNDLE: workflowBundle,
    ADMIN_TOKEN: adminToken,
    API_URL: apiUrl,
    INTERNAL_URL: apiUrl,
    HOST_TOKEN: 'none',
    LEGACY_URL: 'http://127.0.0.1:1',
    LEGACY_SERVICES_URL: 'http://127.0.0.1:1',
    EDGE_FLAGS_FILE: '/nowhere/flags.json',
    TEMPORAL_CODEC_KEYS: `one:${Buffer.alloc(32).toString('base64')}`,
    LOG_LEVEL: 'silent',
    ...Object.fromEntries(
      ['API_PORT', 'EDGE_PORT', 'LEGACY_PORT', 'LEGACY_SERVICES_PORT', 'CODEC_PORT'].map((port) => [port, '0']),
    ),
  };
}

/** Runs a process that must end with code 1 and without an environment; answers what it said. */
async function complaint(script: string, environment: Environment, more: string[] = []): Promise<string> {
  const { code, stderr } = await run(script, environment, more);
  expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.not.stringMatching(/^\s+at /m) });
  return stderr;
}

function run(script: string, environment: Environment, more: string[] = []): Promise<ProgramEnd> {
  return runProgram(script, [...(SCRIPTS[script] ?? []), ...more], { environment });
}

test.each(Object.keys(SCRIPTS))('%s lists the settings that it misses', async (script) => {
  const nothing = Object.fromEntries(Object.keys(settings()).map((name) => [name, '']));
  expect(await complaint(script, nothing)).toMatch(/^The configuration is not usable:\n( {2}[A-Z_]+: [^\n]+\n)+$/);
});

test.each([
  ['api/main.ts', 'API_PORT'],
  ['api/main.ts', 'INTERNAL_PORT'],
  ['api/main.ts', 'HOST_API_PORT'],
  ['api/main.ts', 'METRICS_ADDRESS'],
  ['workers/main.ts', 'METRICS_ADDRESS'],
  ['edge/main.ts', 'EDGE_PORT'],
  ['edge/main.ts', 'METRICS_ADDRESS'],
  ['ops/codec-endpoint/main.ts', 'CODEC_PORT'],
  ['dev/legacy/main.ts', 'LEGACY_PORT'],
  ['dev/legacy/services/main.ts', 'LEGACY_SERVICES_PORT'],
])('%s says that %s is taken, and what to do', async (script, setting) => {
  const server = createServer();
  const port = await listenOnLoopback(server);
  onTestFinished(() => void server.close());
  const value = setting === 'METRICS_ADDRESS' ? `127.0.0.1:${port}` : String(port);
  expect(await complaint(script, { ...settings(), [setting]: value })).toBe(
    `Cannot listen on 127.0.0.1:${port}: another process listens there. Stop it, or set ${setting} to another port.\n`,
  );
});

describe('a server that is away', () => {
  test.each([
    ['ops/migrate/main.ts', 'MySQL', 'MYSQL_URL'],
    ['ops/migrate/main.ts', 'Temporal', 'TEMPORAL_ADDRESS'],
    ['ops/consistency/main.ts', 'MySQL', 'MYSQL_URL'],
    ['ops/consistency/main.ts', 'Temporal', 'TEMPORAL_ADDRESS'],
    ['ops/consistency/main.ts', 'Kafka', 'KAFKA_BROKERS'],
    ['ops/audit-log/main.ts', 'MySQL', 'MYSQL_URL'],
    ['ops/deploy/main.ts', 'Temporal', 'TEMPORAL_ADDRESS'],
    ['ops/billing-statement/main.ts', 'Kafka', 'KAFKA_BROKERS'],
    ['dev/legacy/main.ts', 'Kafka', 'KAFKA_BROKERS'],
  ])('is named by %s: %s', async (script, server, setting) => {
    const value = setting === 'MYSQL_URL' ? `mysql://nobody@${NOBODY}/nothing` : NOBODY;
    expect(await complaint(script, { ...settings(), [setting]: value })).toMatch(
      new RegExp(`^${server} at 127\\.0\\.0\\.1:1 cannot be used: [^\\n]+\\. Start it, or correct ${setting}\\.\\n$`),
    );
  });

  test('is the API, for the command of operators', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    expect(await complaint('ops/admin/main.ts', { ...settings(), API_URL: url, INTERNAL_URL: '' })).toMatch(
      new RegExp(`^${url} does not answer: connect ECONNREFUSED [^\\n]+\\n$`),
    );
  });

  test('has a reason that MySQL itself gives', async () => {
    const url = new URL(settings().MYSQL_URL ?? '');
    url.username = 'nobody';
    url.password = 'wrong';
    expect(await complaint('ops/migrate/main.ts', { ...settings(), MYSQL_URL: url.href })).toMatch(
      /^MySQL at [^\n]+ cannot be used: Access denied for user 'nobody'[^\n]+ Start it, or correct MYSQL_URL\.\n$/,
    );
  });

  test.each(['ops/migrate/main.ts', 'ops/deploy/main.ts', 'ops/consistency/main.ts'])(
    'has a reason that Temporal itself gives: %s',
    async (script) => {
      expect(await complaint(script, { ...settings(), TEMPORAL_NAMESPACE: 'nowhere' })).toMatch(
        /^Temporal at [^\n]+ cannot be used: Namespace nowhere is not found\. [^\n]+ correct TEMPORAL_NAMESPACE\.\n$/,
      );
    },
  );
});

describe('a file that is missing', () => {
  test.each(PROGRAMS_ON_MYSQL)('is named by %s: the certificate of MySQL', async (script) => {
    expect(await complaint(script, { ...settings(), MYSQL_TLS_CA: '/nowhere/ca.pem' })).toContain(
      '\n  MYSQL_TLS_CA: /nowhere/ca.pem cannot be read (ENOENT)\n',
    );
  });

  test('is named by a host: its state file', async () => {
    const file = join(await useFolder(), 'missing', 'state');
    expect(await complaint('host/main.ts', settings(), ['--state-file', file])).toBe(
      `${file}.new cannot be used: open: ENOENT: no such file or directory\n`,
    );
  });

  test('is named by a worker: its workflow bundle', async () => {
    expect(await complaint('workers/main.ts', { ...settings(), WORKFLOW_BUNDLE: '/nowhere/bundle.js' })).toBe(
      '/nowhere/bundle.js cannot be used: open: ENOENT: no such file or directory\n',
    );
  });

  test('is named by the gateway: the module of its flags, also when it makes none', async () => {
    const folder = await useFolder();
    const file = join(folder, 'provider.mjs');
    const environment = { ...settings(), EDGE_FLAGS_PROVIDER: file };
    const prefix = `EDGE_FLAGS_PROVIDER: ${file}`;
    expect(await complaint('edge/main.ts', environment)).toBe(`${prefix} cannot be read (ENOENT)\n`);
    await writeFile(file, 'export const nothing = 1;');
    expect(await complaint('edge/main.ts', environment)).toBe(`${prefix} exports no function by default\n`);
  });

  test('is named by the command of flags: where the flag file is to be', async () => {
    const file = join(await useFolder(), 'missing', 'flags.json');
    expect(await complaint('edge/flip.ts', { EDGE_FLAGS_FILE: file }, ['assign', '25'])).toBe(
      `${file}.lock cannot be used: open: ENOENT: no such file or directory\n`,
    );
  });

  test('is named by whoever bundles the workflows: where the bundle is to be', async () => {
    const file = join(await useFolder(), 'file');
    await writeFile(file, '');
    expect(await complaint('workers/bundle.ts', {}, ['--out', join(file, 'below', 'bundle.js')])).toBe(
      `${file}/below cannot be used: mkdir: ENOTDIR: not a directory\n`,
    );
  });
});

test('an error that nobody expects keeps its upstream', async () => {
  const file = join(await useFolder(), 'provider.mjs');
  await writeFile(file, 'export default () => { throw new TypeError("of the provider"); };');
  const { code, stderr } = await run('edge/main.ts', { ...settings(), EDGE_FLAGS_PROVIDER: file });
  expect(code).toBe(1);
  expect(stderr).toMatch(/^TypeError: of the provider\n {4}at [^\n]*provider\.mjs/);
});
