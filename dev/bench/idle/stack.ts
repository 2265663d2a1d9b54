import { startApplication } from '../../environment/application.ts';
import { BenchClient } from '../http.ts';
import type { RegisteredHost } from '../installation.ts';
import { startOnServers } from '../servers.ts';
import { makeBenchRegion } from '../stack.ts';

/** One API process without a worker, and hosts that nobody has given anything to do. */
export interface IdleStack {
  apiUrl: string;
  apiPid: number;
  mysqlUrl: string;
  hosts: RegisteredHost[];
  close(): Promise<void>;
}

/** Starts real servers and one API process, and registers the hosts; their agents are left to the caller. */
export function startIdleStack(hostCount: number): Promise<IdleStack> {
  return startOnServers('bench-idle', async ({ supervisor, servers, adminToken, close }) => {
    // All agents of the run are behind one address.
    const environment = { ...process.env, API_ADDRESS_CONNECTIONS: '20000' };
    const { apiUrl, processes } = await startApplication({
      ...{ supervisor, servers, adminToken, environment, logLevel: 'warn' },
      ...{ apiPort: servers.ports.api, workerCount: 0, embeddedWorker: false },
    });
    const [api] = processes;
    if (!api) throw new Error('there is no API process');
    const admin = new BenchClient(apiUrl, adminToken);
    const hosts = await makeBenchRegion(admin, hostCount);
    admin.close();
    return { apiUrl, apiPid: api.pid, mysqlUrl: servers.mysqlUrl, hosts, close };
  });
}
