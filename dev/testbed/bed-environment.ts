import { printError } from '../../platform/text/print.ts';
import { messageOf } from '../environment/errors.ts';
import { NO_POOL_SHARES } from '../environment/no-pool-shares.ts';
import type { Report } from '../environment/servers/index.ts';
import { type Closable, type Environment, type EnvironmentOptions, startEnvironment } from '../kit/environment.ts';
import type { Operator } from '../kit/operator.ts';
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
export interface ControlPlane extends Closable {
  operator: Operator;
  /** Kills Temporal's server; the answered function starts it again, on its data. */
  killTemporal(): Promise<() => void>;
}

/** Starts servers, API and worker on empty data. */
export function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  return startEnvironment(optionsOf(options), (environment) => startOn(environment, options));
}

function optionsOf({ folder, report }: ControlPlaneOptions): EnvironmentOptions {
  return { folder, report, settings: NO_POOL_SHARES, onDeath: (failure) => printError(failure.message) };
}

async function startOn(environment: Environment, { control, report }: ControlPlaneOptions) {
  const { supervisor, operator, apiUrl } = environment;
  await environment.startApplication({ host: '0.0.0.0' });
  report(`Application: the API answers at ${apiUrl} in the namespace ${control.namespace.name}`);
  return {
    operator,
    async killTemporal() {
      await supervisor.kill('temporal');
      return () =>
        void supervisor.startAgain('temporal').catch((error: unknown) => {
          report(`Temporal was not started again: ${messageOf(error)}`);
        });
    },
  };
}

/** What {@link startBedEnvironment} is to start. */
export interface BedEnvironmentOptions extends ControlPlaneOptions {
  droplets: Pick<PopulationOptions, 'dropletsPerHost' | 'serving'>;
}

/** A control plane, and a test bed that it knows. */
export interface BedEnvironment extends ControlPlane {
  bed: Testbed;
  population: Population;
}

/** Starts a control plane, makes a test bed, and starts the agents of its hosts. */
export function startBedEnvironment({ droplets, ...options }: BedEnvironmentOptions): Promise<BedEnvironment> {
  return startEnvironment(optionsOf(options), async (environment) => {
    const controlPlane = await startOn(environment, options);
    const bed = await createTestbed(options);
    environment.onClose(() => bed.close());
    const population = await populate(bed, { ...controlPlane, pools: POOLS, ...droplets });
    for (const host of population.registered) population.startAgent(host);
    options.report(`Test bed: ${bed.hosts.length} hosts with ${population.droplets.length} droplets`);
    return { ...controlPlane, bed, population };
  });
}
