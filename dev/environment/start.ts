import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { ENVIRONMENT_FILE, readEnvironmentFile, writeEnvironmentFile } from '../../platform/env-file.ts';
import { commandLine, describeFailure, print } from '../../platform/text/print.ts';
import { visible } from '../../platform/text/visible.ts';
import { type Application, bundleWorkflows, startApplication, startHost, untilInContact } from './application.ts';
import { alive } from './clean-up.ts';
import { type DemoData, makeDemoData } from './demo-data.ts';
import { EnvironmentError } from './errors.ts';
import { whenParentEnds } from './parent.ts';
import { DEV_FOLDER } from './paths.ts';
import { readRecord } from './process-record.ts';
import { ProcessSupervisor } from './processes.ts';
import { applicationScreen, serversScreen, settingsOfServers } from './screens.ts';
import { type Servers, startServers } from './servers/index.ts';
import { walk } from './walk.ts';

const command = commandLine('npm start --').description(
  [
    'Starts MySQL, Kafka and Temporal, and on them the API, a worker and four hosts with demo data. All of it is kept below',
    '.dev, and stopped by Ctrl-C. MYSQL_URL, KAFKA_BROKERS and TEMPORAL_ADDRESS name servers to use instead of starting',
    'them, API_PORT, MYSQL_PORT and the like other ports, and TEMPORAL_CLI another Temporal to start.',
  ].join(' '),
);
command.option('--only-servers', 'start the servers alone, and say with which settings to run the processes on them');
const { onlyServers = false } = command.parse().opts<{ onlyServers?: boolean }>();

const started = performance.now();

/** One line for the person who waits, with the seconds since the start. */
function report(line: string): void {
  const seconds = ((performance.now() - started) / 1000).toFixed(1).padStart(6);
  print(`${seconds} s  ${visible(line)}`);
}

async function assertNothingRuns(): Promise<void> {
  const record = await readRecord(DEV_FOLDER);
  const running = record === undefined ? [] : await alive(record);
  if (running.length === 0) return;
  throw new EnvironmentError(
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
  const bundling = onlyServers ? undefined : bundleWorkflows({ supervisor, environment });
  // When the servers do not start, nobody waits for it.
  bundling?.catch(() => undefined);
  const servers = await startServers({
    supervisor,
    environment,
    report,
    dataFolder: join(DEV_FOLDER, 'data'),
    ports: 'default',
    callersPorts: onlyServers ? [] : ['api', 'internal', 'hostApi'],
  });
  const adminToken = environment.ADMIN_TOKEN || earlier.ADMIN_TOKEN || randomBytes(24).toString('base64url');
  if (onlyServers) {
    const settings = { ...settingsOfServers(servers), ADMIN_TOKEN: adminToken };
    await writeEnvironmentFile(ENVIRONMENT_FILE, { ...earlier, ...settings });
    return print(serversScreen(servers));
  }
  const settings = { supervisor, servers, adminToken, environment };
  const application = await startApplication({
    ...settings,
    apiPort: servers.ports.api,
    internalPort: servers.ports.internal,
    hostApiPort: servers.ports.hostApi,
    workerCount: 1,
    embeddedWorker: environment.EMBEDDED_WORKER !== 'false',
    ...(bundling && { bundling }),
  });
  const { apiUrl, internalUrl, hostApiUrl } = application;
  const data = await makeDemoData({ apiUrl, internalUrl, hostApiUrl, adminToken, earlier });
  const agents = await Promise.all(data.hosts.map((host) => startHost(settings, { ...host, apiUrl: hostApiUrl })));
  await untilInContact(agents);
  report(`API, worker and the agents of ${agents.length} hosts: ready, with demo data`);
  await writeEnvironmentFile(ENVIRONMENT_FILE, environmentValues(servers, application, adminToken, data));
  const steps = await walk({ apiUrl, token: data.apiToken });
  const times = steps.map(({ name, completeMs }) => `${name.split(' ')[0]} ${Math.round(completeMs)}`);
  report(`Tried once, in ms: ${times.join(', ')}`);
  print(applicationScreen(servers, application));
}

function environmentValues(servers: Servers, application: Application, adminToken: string, data: DemoData) {
  return {
    API_URL: application.apiUrl,
    INTERNAL_URL: application.internalUrl,
    HOST_API_URL: application.hostApiUrl,
    API_TOKEN: data.apiToken,
    OTHER_API_TOKEN: data.otherApiToken,
    ADMIN_TOKEN: adminToken,
    ...settingsOfServers(servers),
    ...Object.fromEntries(data.hosts.map((host) => [host.tokenVariable, host.token])),
  };
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
    folder: DEV_FOLDER,
    onUnexpectedExit: (failure) => {
      // Once it is up, whoever tries what happens without a worker wants the rest to go on.
      if (isUp) print(`\n${failure.message}\nThe rest stays up; Ctrl-C stops it.`);
      else void shutDown(1, `\nThe environment did not start.\n${failure.message}`);
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
    await shutDown(1, `\nThe environment did not start.\n${text}`);
  }
}

await main();
