import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { type Database, openDatabase } from '../../../db/database.ts';
import { TASK_QUEUE } from '../../../domain/names.ts';
import { bundleWorkflows, migrate, startApi, startWorker } from '../../environment/application.ts';
import { STACK_FOLDER } from '../../environment/paths.ts';
import { ProcessSupervisor, type RunningProcess, signalGroup } from '../../environment/processes.ts';
import { startServers } from '../../environment/servers/index.ts';
import { Http } from '../../kit/http.ts';
import { ManualHost } from '../../kit/manual-host.ts';
import { type FaultAccount, makeAccount, registerHosts } from '../../kit/population.ts';
import { until } from '../../kit/until.ts';

const WORKERS = ['worker-1', 'worker-2'];
const POLLS_WITHIN_MS = 60_000;
const WORKFLOW_TASK_QUEUE = 1;

/** An API without a worker inside, two worker processes, and a host that answers when it is told to. */
export interface KilledWorkerStack {
  db: Database;
  temporal: Client;
  host: ManualHost;
  account: FaultAccount;
  http: Http;
  /** The processes of the workers, by the identity under which Temporal knows them. */
  workers(): Map<string, string>;
  kill(name: string): Promise<void>;
  /** Starts a worker again, and waits until it asks Temporal for workflow tasks. */
  bringUp(name: string): Promise<void>;
  close(): Promise<void>;
}

/** Starts everything on free ports and empty data. */
export async function startKilledWorkerStack(): Promise<KilledWorkerStack> {
  const dataFolder = await mkdtemp(join(tmpdir(), 'reserved-ip-killed-worker-'));
  const supervisor = new ProcessSupervisor({ folder: join(STACK_FOLDER, 'killed-worker') });
  const stop = async () => {
    await supervisor.stop();
    await rm(dataFolder, { recursive: true, force: true });
  };
  try {
    const { MYSQL_URL: _mysql, KAFKA_BROKERS: _kafka, TEMPORAL_ADDRESS: _temporal, ...environment } = process.env;
    const servers = await startServers({ supervisor, dataFolder, environment, report: () => {}, ports: 'free' });
    const adminToken = randomBytes(24).toString('base64url');
    const settings = { supervisor, servers, environment, adminToken, logLevel: 'warn' };
    const [workflowBundle] = await Promise.all([bundleWorkflows(settings), migrate(settings)]);
    const { url } = await startApi(settings, {
      name: 'api',
      port: servers.ports.api,
      workflowBundle,
      embeddedWorker: false,
    });
    const connection = await Connection.connect({ address: servers.temporalAddress });
    const temporal = new Client({ connection });
    const db = openDatabase({ url: servers.mysqlUrl, poolSize: 2 });
    const running = new Map<string, RunningProcess>();
    const bringUp = async (name: string) => {
      const worker = await startWorker(settings, { name, workflowBundle });
      running.set(name, worker);
      await until(`${name} polls`, () => polls(temporal, worker), POLLS_WITHIN_MS);
    };
    await Promise.all(WORKERS.map(bringUp));
    const admin = new Http(url, adminToken);
    const [registered] = await registerHosts(admin, 1);
    if (!registered) throw new Error('no host was registered');
    const account = await makeAccount(admin, 'killed-worker');
    return {
      db,
      temporal,
      host: new ManualHost(registered.name, url, registered.token),
      account,
      http: new Http(url, account.token),
      workers: () => new Map([...running].map(([name, { pid }]) => [String(pid), name])),
      async kill(name) {
        const worker = running.get(name);
        if (!worker) throw new Error(`there is no ${name}`);
        signalGroup(worker.pid, 'SIGKILL');
        await worker.exited;
      },
      bringUp,
      async close() {
        await db.destroy();
        await connection.close();
        await stop();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function polls({ workflowService, options }: Client, { pid }: RunningProcess): Promise<boolean> {
  const { namespace } = options;
  const { pollers } = await workflowService.describeTaskQueue({
    namespace,
    taskQueue: { name: TASK_QUEUE },
    taskQueueType: WORKFLOW_TASK_QUEUE,
  });
  return pollers?.some(({ identity }) => identity?.startsWith(`${pid}@`)) ?? false;
}
