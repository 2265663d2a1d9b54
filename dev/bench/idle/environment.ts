import { printError } from '../../../platform/text/print.ts';
import { type Closable, type Environment, startEnvironment } from '../../kit/environment.ts';
import type { RegisteredHost } from '../../kit/operator.ts';
import { POOL, REGION } from '../environment.ts';

/** One API process without a worker, and hosts that nobody has given anything to do. */
export interface IdleEnvironment extends Closable {
  running: Environment;
  hosts: RegisteredHost[];
}

/** Starts real servers and one API process, and registers the hosts; their agents are left to the caller. */
export function startIdleEnvironment(hostCount: number): Promise<IdleEnvironment> {
  // All agents of the run are behind one address.
  const settings = { API_ADDRESS_CONNECTIONS: '20000' };
  const options = { folder: 'bench-idle', settings, logLevel: 'warn', report: printError };
  return startEnvironment(options, async (environment) => {
    await environment.startApplication({ workers: 0, embeddedWorker: false });
    await environment.operator.makeRegion(REGION, POOL);
    return { running: environment, hosts: await environment.operator.registerHosts(REGION, hostCount) };
  });
}
