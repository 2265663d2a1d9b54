import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { printError } from '../../platform/text/print.ts';
import { bundleWorkflows, migrate, startApi, startWorker } from '../environment/application.ts';
import { messageOf } from '../environment/errors.ts';
import { NO_POOL_SHARES } from '../environment/no-pool-shares.ts';
import { STACK_FOLDER } from '../environment/paths.ts';
import { ProcessSupervisor, signalGroup } from '../environment/processes.ts';
import { type Report, startServers } from '../environment/servers/index.ts';
import type { Control } from './control.ts';
import { type Population, type PopulationOptions, populate } from './population.ts';
import { createTestbed, type Testbed } from './topology.ts';

/** Documentation ranges, so that nobody's real addresses appear. */
const POOLS = [() => '203.0.113.0/24', () => '2001:db8:ff::/112'];

/** What {@link startControlPlane} is to start. */
export interface ControlPlaneOptions {
  control: Control;
  report: Report;
  /** Name of a folder below `.dev` for logs and the record of processes. */
  folder: string;
}

/** Servers, API and worker in the control namespace, where hosts of test beds can reach the API. */
export interface ControlPlane {
  apiUrl: string;
  adminToken: string;
  /** Kills Temporal's server; the answered function starts it again, on its data. */
  killTemporal(): Promise<() => void>;
  close(): Promise<void>;
}

/** Starts servers, API and worker on empty data. */
export async function startControlPlane({ control, report, folder }: ControlPlaneOptions): Promise<ControlPlane> {
  const dataFolder = await mkdtemp(join(tmpdir(), 'reserved-ip-bed-'));
  const supervisor = new ProcessSupervisor({
    folder: join(STACK_FOLDER, folder),
    onUnexpectedExit: (failure) => printError(failure.message),
  });
  const close = async () => {
    await supervisor.stop();
    await rm(dataFolder, { recursive: true, force: true });
  };
  try {
    const environment = { ...process.env, ...NO_POOL_SHARES };
    const servers = await startServers({ supervisor, dataFolder, environment, report, ports: 'free' });
    const adminToken = randomBytes(24).toString('base64url');
    const settings = { supervisor, servers, environment, adminToken };
    const [workflowBundle] = await Promise.all([bundleWorkflows(settings), migrate(settings)]);
    const api = { name: 'api', port: servers.ports.api, workflowBundle, embeddedWorker: true, host: '0.0.0.0' };
    const [{ url }] = await Promise.all([
      startApi(settings, api),
      startWorker(settings, { name: 'worker', workflowBundle }),
    ]);
    report(`Application: the API answers at ${url} in the namespace ${control.namespace.name}`);
    let temporal = servers.processes.find(({ name }) => name === 'temporal');
    return {
      apiUrl: url,
      adminToken,
      async killTemporal() {
        if (!temporal) throw new Error('Temporal was not started here');
        const { pid, exited, start } = temporal;
        temporal = undefined;
        signalGroup(pid, 'SIGKILL');
        await exited;
        return () => {
          const restarting = supervisor.start(start);
          restarting.then(
            (process) => {
              temporal = process;
            },
            (error: unknown) => report(`Temporal was not started again: ${messageOf(error)}`),
          );
        };
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** What {@link startBedStack} is to start. */
export interface BedStackOptions extends ControlPlaneOptions {
  droplets: Pick<PopulationOptions, 'dropletsPerHost' | 'serving'>;
}

/** A control plane, and a test bed that it knows. */
export interface BedStack extends ControlPlane {
  bed: Testbed;
  population: Population;
}

/** Starts a control plane, makes a test bed, and starts the agents of its hosts. */
export async function startBedStack({ droplets, ...options }: BedStackOptions): Promise<BedStack> {
  const controlPlane = await startControlPlane(options);
  let bed: Testbed | null = null;
  const close = async () => {
    await bed?.close();
    await controlPlane.close();
  };
  try {
    bed = await createTestbed(options);
    const population = await populate(bed, { ...controlPlane, pools: POOLS, ...droplets });
    for (const host of population.registered) population.startAgent(host);
    options.report(`Test bed: ${bed.hosts.length} hosts with ${population.droplets.length} droplets`);
    return { ...controlPlane, bed, population, close };
  } catch (error) {
    await close();
    throw error;
  }
}
