import type { Client } from '@temporalio/client';
import type { Database } from '../../../db/database.ts';
import { TASK_QUEUE } from '../../../domain/names.ts';
import type { RunningProcess } from '../../environment/processes.ts';
import type { Account } from '../../kit/account.ts';
import { type Closable, startEnvironment } from '../../kit/environment.ts';
import { ManualHost } from '../../kit/manual-host.ts';
import { until } from '../../kit/until.ts';
import { POOL, REGION } from '../environment.ts';

const WORKERS = ['worker-1', 'worker-2'];
const POLLS_WITHIN_MS = 60_000;
const WORKFLOW_TASK_QUEUE = 1;

/** An API without a worker inside, two worker processes, and a host that answers when it is told to. */
export interface KilledWorkerEnvironment extends Closable {
  db: Database;
  temporal: Client;
  host: ManualHost;
  account: Account;
  /** As many as there are operations at a time. */
  droplets: number[];
  /** The processes of the workers, by the identity under which Temporal knows them. */
  workers(): Map<string, string>;
  kill(name: string): Promise<void>;
  /** Starts a worker again, and waits until it asks Temporal for workflow tasks. */
  bringUp(name: string): Promise<void>;
}

/** Starts everything on free ports and empty data. */
export function startKilledWorkerEnvironment(dropletCount: number): Promise<KilledWorkerEnvironment> {
  return startEnvironment({ folder: 'killed-worker', ownServers: true, logLevel: 'warn' }, async (environment) => {
    const { supervisor, operator, apiUrl } = environment;
    const temporal = await environment.openTemporal();
    const untilPolls = (worker: RunningProcess) =>
      until(`${worker.name} polls`, () => polls(temporal, worker), POLLS_WITHIN_MS);
    await environment.startApplication({ workers: 0, embeddedWorker: false });
    await Promise.all(WORKERS.map(async (name) => untilPolls(await environment.startWorker(name))));
    await operator.makeRegion(REGION, POOL);
    const { name, token } = await operator.registerHost(REGION, 'manual');
    const account = await operator.makeAccount('killed-worker');
    return {
      db: environment.openDatabase(2),
      temporal,
      host: new ManualHost(name, apiUrl, token),
      account,
      droplets: await account.makeDroplets(REGION, dropletCount),
      workers: () => new Map(WORKERS.map((worker) => [String(supervisor.find(worker).pid), worker])),
      kill: (worker) => supervisor.kill(worker),
      bringUp: async (worker) => void (await untilPolls(await supervisor.startAgain(worker))),
    };
  });
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
