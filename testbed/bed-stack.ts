import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleWorkflows, migrateDatabase, startApi, startWorker } from '../stack/application.ts';
import { STACK_FOLDER } from '../stack/paths.ts';
import { ProcessSupervisor, type RunningProcess } from '../stack/processes.ts';
import { type Report, startServers } from '../stack/servers/index.ts';
import type { Control } from './control.ts';
import { type Population, type PopulationOptions, populate } from './population.ts';
import { createTestbed, type Testbed } from './topology.ts';

/** Documentation ranges, so that nobody's real addresses appear. */
const POOLS = [() => '203.0.113.0/24', () => '2001:db8:ff::/112'];

/** What {@link startBedStack} is to start. */
export interface BedStackOptions {
  control: Control;
  report: Report;
  /** Name of a folder below `.stack` for logs and the record of processes. */
  folder: string;
  droplets: Pick<PopulationOptions, 'dropletsPerHost' | 'serving'>;
  pools?: PopulationOptions['pools'];
}

/** A whole control plane in the control namespace, and a test bed that it knows. */
export interface BedStack {
  apiUrl: string;
  adminToken: string;
  api: RunningProcess;
  bed: Testbed;
  population: Population;
  close(): Promise<void>;
}

/** Starts servers, API and worker on empty data, makes a test bed, and starts the agents of its hosts. */
export async function startBedStack(options: BedStackOptions): Promise<BedStack> {
  const { control, report, droplets, pools = POOLS } = options;
  const dataFolder = await mkdtemp(join(tmpdir(), 'reserved-ip-bed-'));
  const supervisor = new ProcessSupervisor({
    folder: join(STACK_FOLDER, options.folder),
    onUnexpectedExit: (failure) => console.error(failure.message),
  });
  const closing: (() => Promise<void>)[] = [
    () => rm(dataFolder, { recursive: true, force: true }),
    () => supervisor.stop(),
  ];
  const close = async () => {
    for (const step of closing.toReversed()) await step();
  };
  try {
    const environment = { ...process.env };
    const servers = await startServers({ supervisor, dataFolder, environment, report, ports: 'free' });
    const adminToken = randomBytes(24).toString('base64url');
    const settings = { supervisor, servers, environment, adminToken };
    const [workflowBundle] = await Promise.all([bundleWorkflows(settings), migrateDatabase(settings)]);
    const [api] = await Promise.all([
      startApi(settings, {
        name: 'api',
        port: servers.ports.api,
        workflowBundle,
        embeddedWorker: true,
        host: '0.0.0.0',
      }),
      startWorker(settings, { name: 'worker', workflowBundle }),
    ]);
    report(`Application: the API answers at ${api.url} in the namespace ${control.namespace.name}`);
    const bed = await createTestbed({ control });
    closing.push(() => bed.close());
    const population = await populate(bed, { apiUrl: api.url, adminToken, pools, ...droplets });
    for (const host of population.registered) population.startAgent(host);
    report(`Test bed: ${bed.hosts.length} hosts with ${population.droplets.length} droplets`);
    return { apiUrl: api.url, adminToken, api: api.process, bed, population, close };
  } catch (error) {
    await close();
    throw error;
  }
}
