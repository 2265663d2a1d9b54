import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { startApplication, startHost } from '../../dev/environment/application.ts';
import { makeDemoData } from '../../dev/environment/demo-data.ts';
import { messageOf, StackError } from '../../dev/environment/errors.ts';
import { STACK_FOLDER } from '../../dev/environment/paths.ts';
import { ProcessSupervisor } from '../../dev/environment/processes.ts';
import { cacheFolder } from '../../dev/environment/servers/cache.ts';
import { startServers } from '../../dev/environment/servers/index.ts';
import { installSchemathesis, type Schemathesis } from './schemathesis.ts';

/*
 * `npm run test:fuzz`: property-based fuzzing of the public API from its own OpenAPI document, on real servers with hosts
 * that answer. Fails when an answer is a 5xx, or is not what the document says.
 */

const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
];

const options = new Command('test:fuzz')
  .description('Fuzzes /v2 from its OpenAPI document with Schemathesis.')
  .option('--examples <count>', 'most examples of one operation in each phase', '800')
  .option('--seed <number>', 'repeats a run', '20261124')
  .parse()
  .opts<{ examples: string; seed: string }>();

const report = (line: string) => console.log(`  ${line}`);
const dataFolder = await mkdtemp(join(tmpdir(), 'reserved-ip-fuzz-'));
const supervisor = new ProcessSupervisor({ folder: join(STACK_FOLDER, 'fuzz') });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => void supervisor.stop().finally(() => process.exit(1)));
}
try {
  const schemathesis = await installSchemathesis({ supervisor, cacheFolder: cacheFolder(process.env), report });
  const environment = process.env;
  const servers = await startServers({ supervisor, dataFolder, environment, report, ports: 'free' });
  const adminToken = randomBytes(24).toString('base64url');
  const settings = { supervisor, servers, adminToken, environment, logLevel: 'warn' };
  const application = { apiPort: servers.ports.api, workerCount: 1, embeddedWorker: true };
  const { apiUrl } = await startApplication({ ...settings, ...application });
  const data = await makeDemoData({ apiUrl, adminToken, earlier: {}, report });
  await Promise.all(data.hosts.map((host) => startHost(settings, { ...host, apiUrl })));
  process.exitCode = await fuzz(schemathesis, apiUrl, data.apiToken);
} catch (error) {
  console.error(error instanceof StackError ? error.message : `The API could not be fuzzed: ${messageOf(error)}`);
  process.exitCode = 1;
} finally {
  await supervisor.stop();
  await rm(dataFolder, { recursive: true, force: true });
}

/**
 * One worker: each is a thread, and up to Python 3.11.7 two threads that parse at the same time can end in "AST constructor
 * recursion depth mismatch" (CPython issue 106905), which would stop the operation that is being fuzzed.
 */
async function fuzz({ command, environment }: Schemathesis, apiUrl: string, token: string): Promise<number> {
  const child = spawn(
    command,
    [
      ...['run', `${apiUrl}/openapi.json`, '--include-path-regex', '^/v2/', '--checks', CHECKS.join(',')],
      ...['--header', `Authorization: Bearer ${token}`, '--max-examples', options.examples, '--seed', options.seed],
      ...['--workers', '1', '--continue-on-failure', '--request-timeout', '10', '--generation-database', 'none'],
      ...['--warnings', 'off', '--no-color'],
    ],
    { stdio: 'inherit', cwd: dataFolder, env: environment },
  );
  const [code] = await once(child, 'exit');
  return typeof code === 'number' ? code : 1;
}
