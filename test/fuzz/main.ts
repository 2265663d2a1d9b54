import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Command } from 'commander';
import { makeDemoData } from '../../dev/environment/demo-data.ts';
import { EnvironmentError, messageOf } from '../../dev/environment/errors.ts';
import { cacheFolder } from '../../dev/environment/servers/cache.ts';
import { startEnvironment } from '../../dev/kit/environment.ts';
import { stoppingSignal } from '../../dev/kit/script.ts';
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
const signal = stoppingSignal();
try {
  const environment = await startEnvironment({ folder: 'fuzz', logLevel: 'warn', report, signal }, async (made) => {
    const { supervisor, dataFolder, apiUrl, adminToken } = made;
    const schemathesis = await installSchemathesis({ supervisor, cacheFolder: cacheFolder(process.env), report });
    await made.startApplication();
    const data = await makeDemoData({ apiUrl, adminToken, earlier: {}, report });
    await made.startHosts(data.hosts);
    return { schemathesis, dataFolder, url: apiUrl, token: data.apiToken };
  });
  process.exitCode = await fuzz(environment).finally(environment.close);
} catch (error) {
  console.error(error instanceof EnvironmentError ? error.message : `The API could not be fuzzed: ${messageOf(error)}`);
  process.exitCode = 1;
}

/** What is fuzzed, and with what. */
interface Target {
  schemathesis: Schemathesis;
  dataFolder: string;
  url: string;
  token: string;
}

/**
 * One worker: each is a thread, and up to Python 3.11.7 two threads that parse at the same time can end in "AST constructor
 * recursion depth mismatch" (CPython issue 106905), which would stop the operation that is being fuzzed.
 */
async function fuzz({ schemathesis, dataFolder, url, token }: Target): Promise<number> {
  const { command, environment } = schemathesis;
  const child = spawn(
    command,
    [
      ...['run', `${url}/openapi.json`, '--include-path-regex', '^/v2/', '--checks', CHECKS.join(',')],
      ...['--header', `Authorization: Bearer ${token}`, '--max-examples', options.examples, '--seed', options.seed],
      ...['--workers', '1', '--continue-on-failure', '--request-timeout', '10', '--generation-database', 'none'],
      ...['--warnings', 'off', '--no-color'],
    ],
    { stdio: 'inherit', cwd: dataFolder, env: environment, signal },
  );
  const [code] = await once(child, 'exit');
  return typeof code === 'number' ? code : 1;
}
