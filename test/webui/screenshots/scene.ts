import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { pino } from 'pino';
import { z } from 'zod';
import { type Application, startApplication, startWorker } from '../../../dev/environment/application.ts';
import { type DemoData, makeDemoData } from '../../../dev/environment/demo-data.ts';
import { PROJECT_FOLDER, STACK_FOLDER } from '../../../dev/environment/paths.ts';
import { ProcessSupervisor } from '../../../dev/environment/processes.ts';
import { type Servers, startServers } from '../../../dev/environment/servers/index.ts';
import { Account } from '../../../dev/kit/account.ts';
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
export interface Scene {
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
  close(): Promise<void>;
}

/** Starts everything on free ports and empty data. */
export async function openScene(): Promise<Scene> {
  const dataFolder = await mkdtemp(join(tmpdir(), 'reserved-ip-screenshots-'));
  const supervisor = new ProcessSupervisor({ folder: join(STACK_FOLDER, 'screenshots') });
  const stopping = new AbortController();
  const close = async () => {
    stopping.abort();
    await supervisor.stop();
    await rm(dataFolder, { recursive: true, force: true });
  };
  try {
    const environment = { ...process.env, ...RULES };
    const servers = await startServers({ supervisor, dataFolder, environment, report: console.log, ports: 'free' });
    const adminToken = randomBytes(24).toString('base64url');
    const settings = { supervisor, servers, adminToken, environment, logLevel: 'warn' };
    const application = await startApplication({
      ...settings,
      apiPort: servers.ports.api,
      workerCount: 1,
      embeddedWorker: false,
    });
    const { apiUrl } = application;
    const data = await makeDemoData({ apiUrl, adminToken, earlier: {}, report: console.log });
    const webUi = await WebUi.launch(servers.temporalUiUrl);
    const account = new Account(1, new Http(apiUrl, data.apiToken));
    const drivers = runAgents(data, apiUrl, stopping.signal);
    return {
      webUi,
      account,
      drivers,
      admin: new Http(apiUrl, adminToken),
      reserve: () => account.reserve(REGION),
      droplet: dropletsOf(account),
      ...breakable(application, servers, settings),
      close: async () => {
        await webUi.close();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
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

function breakable(application: Application, servers: Servers, settings: Parameters<typeof startWorker>[0]) {
  const serverOf = (name: string) => {
    const server = servers.processes.find((one) => one.name === name);
    if (!server) throw new Error(`${name} was not started here`);
    return server;
  };
  let workers = application.processes.filter(({ name }) => name.startsWith('worker'));
  return {
    async stopServer(name: string) {
      await serverOf(name).stop();
    },
    async startServer(name: string) {
      await settings.supervisor.start(serverOf(name).start);
    },
    async stopWorkers() {
      await Promise.all(workers.map((worker) => worker.stop()));
      workers = [];
    },
    async startWorker(workflows: 'sound' | 'broken') {
      const workflowBundle = workflows === 'sound' ? application.workflowBundle : await brokenBundle();
      workers.push(await startWorker(settings, { name: `worker-${workflows}`, workflowBundle }));
    },
  };
}

/** The workflows of somebody who has changed assign without thinking of those that are open. */
async function brokenBundle(): Promise<string> {
  const { code } = await bundleWorkflowCode({
    workflowsPath: join(PROJECT_FOLDER, 'test/histories/broken-workflows.ts'),
    logger: new DefaultLogger('ERROR'),
  });
  const path = join(STACK_FOLDER, 'screenshots', 'broken-workflows.js');
  await writeFile(path, code);
  return path;
}
