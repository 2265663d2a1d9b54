import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { ENVIRONMENT_FILE, readEnvironmentFile, writeEnvironmentFile } from '../../platform/env-file.ts';
import { describeFailure, print, printUncaughtErrors } from '../../platform/text/print.ts';
import { visible } from '../../platform/text/visible.ts';
import { type Application, startApplication, startHost } from './application.ts';
import { alive } from './clean-up.ts';
import { type DemoData, makeDemoData } from './demo-data.ts';
import { StackError } from './errors.ts';
import { whenParentEnds } from './parent.ts';
import { STACK_FOLDER } from './paths.ts';
import { readRecord } from './process-record.ts';
import { ProcessSupervisor } from './processes.ts';
import { type Servers, startServers } from './servers/index.ts';
import { walk } from './walk.ts';

printUncaughtErrors();

const started = performance.now();

/** One line for the person who waits, with the seconds since the start. */
function report(line: string): void {
  const seconds = ((performance.now() - started) / 1000).toFixed(1).padStart(6);
  print(`${seconds} s  ${visible(line)}`);
}

async function assertNothingRuns(): Promise<void> {
  const record = await readRecord(STACK_FOLDER);
  const running = record === undefined ? [] : await alive(record);
  if (running.length === 0) return;
  throw new StackError(
    [
      'Processes of an earlier start are alive:',
      ...running.map((entry) => `  ${entry.name} (process ${entry.pid})`),
      'If that start is still up, use it (`. .dev/env`) or stop it there with Ctrl-C. After a crash, `npm run down` stops them.',
    ].join('\n'),
  );
}

async function bringUp(supervisor: ProcessSupervisor): Promise<void> {
  await assertNothingRuns();
  const earlier = await readEnvironmentFile(ENVIRONMENT_FILE);
  const environment = process.env;
  report('Servers: starting MySQL, Kafka and Temporal');
  const servers = await startServers({
    supervisor,
    environment,
    report,
    dataFolder: join(STACK_FOLDER, 'data'),
    ports: 'default',
    callersPorts: ['api', 'internal', 'hostApi'],
  });
  const adminToken = environment.ADMIN_TOKEN || earlier.ADMIN_TOKEN || randomBytes(24).toString('base64url');
  const settings = { supervisor, servers, adminToken, environment };
  report('Application: migrating the database, bundling the workflows, starting the API and a worker');
  const application = await startApplication({
    ...settings,
    apiPort: servers.ports.api,
    internalPort: servers.ports.internal,
    hostApiPort: servers.ports.hostApi,
    workerCount: 1,
    embeddedWorker: environment.EMBEDDED_WORKER !== 'false',
  });
  report(`Application: the API answers at ${application.apiUrl}`);
  const { apiUrl, internalUrl, hostApiUrl } = application;
  const data = await makeDemoData({ apiUrl, internalUrl, hostApiUrl, adminToken, earlier, report });
  await Promise.all(data.hosts.map((host) => startHost(settings, { ...host, apiUrl: hostApiUrl })));
  report(`Hosts: agents of ${data.hosts.map((host) => host.name).join(', ')} are running`);
  await writeEnvironmentFile(ENVIRONMENT_FILE, environmentValues(servers, application, adminToken, data));
  report('One whole cycle over the public API:');
  await walk({ apiUrl, token: data.apiToken, report });
  print(whatNext(servers, application));
}

function environmentValues(servers: Servers, application: Application, adminToken: string, data: DemoData) {
  return {
    API_URL: application.apiUrl,
    INTERNAL_URL: application.internalUrl,
    HOST_API_URL: application.hostApiUrl,
    API_TOKEN: data.apiToken,
    OTHER_API_TOKEN: data.otherApiToken,
    ADMIN_TOKEN: adminToken,
    TEMPORAL_ADDRESS: servers.temporalAddress,
    TEMPORAL_UI_URL: servers.temporalUiUrl,
    MYSQL_URL: servers.mysqlUrl,
    KAFKA_BROKERS: servers.kafkaBrokers,
    ...Object.fromEntries(data.hosts.map((host) => [host.tokenVariable, host.token])),
  };
}

function whatNext(servers: Servers, application: Application): string {
  return `
The Reserved IP service is up.

  API               ${application.apiUrl}   (its description: ${application.apiUrl}/openapi.json)
  For operators     ${application.internalUrl}   (npm run admin)
  For hosts         ${application.hostApiUrl}
  Temporal Web UI   ${servers.temporalUiUrl || '(that of the existing server)'}
  Kafka             ${servers.kafkaBrokers}
  Logs              .dev/logs/
  Addresses and tokens for scripts: .dev/env

Try next, in another terminal in this folder:

  . .dev/env
  curl -s -H "Authorization: Bearer $API_TOKEN" $API_URL/v2/droplets
  curl -s -H "Authorization: Bearer $API_TOKEN" -H 'Content-Type: application/json' \\
       -d '{"region":"nyc3"}' $API_URL/v2/reserved_ips
  curl -s -H "Authorization: Bearer $API_TOKEN" $API_URL/v2/reserved_ips
  node dev/bootstrap.mjs dev/environment/walk.ts  # the same cycle again, now that everything is warm
  npm run consistency

Ctrl-C stops everything that was started here; the data stays in .dev/data for the next start.
`;
}

async function main(): Promise<void> {
  let isUp = false;
  let shutdown: Promise<void> | undefined;
  const shutDown = (exitCode: number, reason: string): Promise<void> => {
    shutdown ??= (async () => {
      print(reason);
      await supervisor.stop();
      print('Everything that was started here is stopped.');
      process.exit(exitCode);
    })();
    return shutdown;
  };
  const supervisor = new ProcessSupervisor({
    folder: STACK_FOLDER,
    onUnexpectedExit: (failure) => {
      // Once it is up, whoever tries what happens without a worker wants the rest to go on.
      if (isUp) print(`\n${failure.message}\nThe rest stays up; Ctrl-C stops it.`);
      else void shutDown(1, `\nThe stack did not start.\n${failure.message}`);
    },
  });
  const onSignal = (signal: NodeJS.Signals) => {
    if (shutdown !== undefined) supervisor.killAll();
    void shutDown(0, `\n${signal}: stopping the application, then the servers … (again to kill them at once)`);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  whenParentEnds(() => void shutDown(1, '\nThe process that ran this is gone: stopping.'));
  try {
    await bringUp(supervisor);
    isUp = true;
  } catch (error) {
    const text = describeFailure(error);
    await shutDown(1, `\nThe stack did not start.\n${text}`);
  }
}

await main();
