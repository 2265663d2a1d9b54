import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { pino } from 'pino';
import { z } from 'zod';
import { type DemoData, makeDemoData } from '../../../dev/environment/demo-data.ts';
import { DEV_FOLDER, PROJECT_FOLDER } from '../../../dev/environment/paths.ts';
import type { RunningProcess } from '../../../dev/environment/processes.ts';
import { Account } from '../../../dev/kit/account.ts';
import { type Closable, type Environment, startEnvironment } from '../../../dev/kit/environment.ts';
import { expectAnswer, Http } from '../../../dev/kit/http.ts';
import { runAgent } from '../../../host/agent.ts';
import { SimulatedDriver } from '../../../host/drivers/simulated.ts';
import { WebUi } from '../web-ui.ts';

const REGION = 'nyc3';

/** Quick enough for a scene, slow enough to be seen. */
const RULES = {
  HOST_ACKNOWLEDGMENT_TIMEOUT_MS: '15000',
  HOST_ACKNOWLEDGMENT_ATTEMPTS: '4',
  STUCK_AFTER_MS: '3000',
  BILLING_STUCK_AFTER_MS: '3000',
};

/** A whole control plane with demo data, whose hosts and servers can be broken, and a browser that looks at it. */
export interface Scene extends Closable {
  webUi: WebUi;
  account: Account;
  /** Of hosts hv-1 and hv-2. */
  drivers: SimulatedDriver[];
  admin: Http;
  /** Reserves an address in New York. */
  reserve(): Promise<string>;
  /** The number of a droplet there, of each of the four in turn. */
  droplet(): Promise<number>;
  /** Stops a server; {@link Scene.startServer} starts it again on the same data. */
  stopServer(name: 'kafka' | 'mysql'): Promise<void>;
  startServer(name: 'kafka' | 'mysql'): Promise<void>;
  stopWorkers(): Promise<void>;
  /** Starts a worker again, with the workflows as they are or with some that were changed without care. */
  startWorker(workflows: 'sound' | 'broken'): Promise<void>;
}

/** Starts everything on free ports and empty data. */
export function openScene(): Promise<Scene> {
  const options = { folder: 'screenshots', settings: RULES, logLevel: 'warn', report: console.log };
  return startEnvironment(options, async (environment) => {
    const { servers, operator, apiUrl, adminToken } = environment;
    const [, worker] = await environment.startApplication({ embeddedWorker: false });
    const data = await makeDemoData({ apiUrl, adminToken, earlier: {}, report: console.log });
    const webUi = await WebUi.launch(servers.temporalUiUrl);
    environment.onClose(() => webUi.close());
    const account = new Account(1, new Http(apiUrl, data.apiToken));
    const stopping = new AbortController();
    environment.onClose(() => stopping.abort());
    return {
      webUi,
      account,
      drivers: runAgents(data, apiUrl, stopping.signal),
      admin: operator.http,
      reserve: () => account.reserve(REGION),
      droplet: dropletsOf(account),
      ...breakable(environment, worker ? [worker] : []),
    };
  });
}

function runAgents(data: DemoData, apiUrl: string, signal: AbortSignal): SimulatedDriver[] {
  return data.hosts.slice(0, 2).map(({ name, token }) => {
    const driver = new SimulatedDriver();
    const logger = pino({ level: 'silent' });
    void runAgent({ apiUrl, token, host: name, driver, signal, logger, waitSeconds: 2, stopTimeoutMs: 100 });
    return driver;
  });
}

/** Gives the droplets of the region in turn. */
function dropletsOf({ http }: Account): () => Promise<number> {
  const schema = z.object({ droplets: z.array(z.object({ id: z.int(), region: z.object({ slug: z.string() }) })) });
  let given = 0;
  return async () => {
    const { droplets } = expectAnswer(await http.get('/v2/droplets?per_page=200'), 200, schema);
    const ofRegion = droplets.filter(({ region }) => region.slug === REGION);
    const droplet = ofRegion[given++ % ofRegion.length];
    if (!droplet) throw new Error('there are no droplets');
    return droplet.id;
  };
}

function breakable(environment: Environment, running: RunningProcess[]) {
  const { supervisor } = environment;
  let workers = running;
  return {
    stopServer: (name: string) => supervisor.find(name).stop(),
    startServer: async (name: string) => void (await supervisor.startAgain(name)),
    async stopWorkers() {
      await Promise.all(workers.map((worker) => worker.stop()));
      workers = [];
    },
    async startWorker(workflows: 'sound' | 'broken') {
      const workflowBundle = workflows === 'sound' ? environment.workflowBundle : await brokenBundle();
      workers.push(await environment.startWorker(`worker-${workflows}`, environment.settings, workflowBundle));
    },
  };
}

/** The workflows of somebody who has changed assign without thinking of those that are open. */
async function brokenBundle(): Promise<string> {
  const { code } = await bundleWorkflowCode({
    workflowsPath: join(PROJECT_FOLDER, 'test/histories/broken-workflows.ts'),
    logger: new DefaultLogger('ERROR'),
  });
  const path = join(DEV_FOLDER, 'screenshots', 'broken-workflows.js');
  await writeFile(path, code);
  return path;
}
