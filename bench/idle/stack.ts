import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startApplication } from '../../stack/application.ts';
import { STACK_FOLDER } from '../../stack/paths.ts';
import { ProcessSupervisor } from '../../stack/processes.ts';
import { startServers } from '../../stack/servers/index.ts';
import { printError } from '../../text/print.ts';
import { BenchClient } from '../http.ts';
import { type RegisteredHost, registerHosts } from '../stack.ts';

/** One API process without a worker, and hosts that nobody has given anything to do. */
export interface IdleStack {
  apiUrl: string;
  apiPid: number;
  mysqlUrl: string;
  hosts: RegisteredHost[];
  close(): Promise<void>;
}

/** Starts real servers and one API process, and registers the hosts; their agents are left to the caller. */
export async function startIdleStack(hostCount: number): Promise<IdleStack> {
  const dataFolder = await mkdtemp(join(tmpdir(), 'reserved-ip-bench-'));
  const supervisor = new ProcessSupervisor({ folder: join(STACK_FOLDER, 'bench-idle') });
  const report = (line: string) => printError(line);
  async function close(): Promise<void> {
    await supervisor.stop();
    await rm(dataFolder, { recursive: true, force: true });
  }
  try {
    const servers = await startServers({ supervisor, dataFolder, environment: process.env, report, ports: 'free' });
    const adminToken = randomBytes(24).toString('base64url');
    // All agents of the run are behind one address.
    const environment = { ...process.env, API_ADDRESS_CONNECTIONS: '20000' };
    const { apiUrl, processes } = await startApplication({
      ...{ supervisor, servers, adminToken, environment, logLevel: 'warn' },
      ...{ apiPort: servers.ports.api, workerCount: 0, embeddedWorker: false },
    });
    const [api] = processes;
    if (!api) throw new Error('there is no API process');
    const admin = new BenchClient(apiUrl, adminToken);
    const hosts = await registerHosts(admin, hostCount);
    admin.close();
    return { apiUrl, apiPid: api.pid, mysqlUrl: servers.mysqlUrl, hosts, close };
  } catch (error) {
    await close();
    throw error;
  }
}
