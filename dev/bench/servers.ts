import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { printError } from '../../platform/text/print.ts';
import { STACK_FOLDER } from '../environment/paths.ts';
import { ProcessSupervisor } from '../environment/processes.ts';
import { type Servers, startServers } from '../environment/servers/index.ts';

/** Real servers of one run, on free ports and empty data. */
export interface RunServers {
  /** Of the servers; stops what else is started with it. */
  supervisor: ProcessSupervisor;
  servers: Servers;
  /** A folder that is removed at the end. */
  dataFolder: string;
  /** For the control plane that is started on them. */
  adminToken: string;
  /** Stops the processes and removes the data. */
  close(): Promise<void>;
}

/**
 * Starts MySQL, Kafka and Temporal, and then what the caller needs on them. The caller closes them at the end; when one
 * of them or `start` fails, they are closed here. Logs go below `.dev/<logFolder>`.
 */
export async function startOnServers<Started>(
  logFolder: string,
  start: (run: RunServers) => Promise<Started>,
): Promise<Started> {
  const dataFolder = await mkdtemp(join(tmpdir(), 'reserved-ip-bench-'));
  const supervisor = new ProcessSupervisor({ folder: join(STACK_FOLDER, logFolder) });
  async function close(): Promise<void> {
    await supervisor.stop();
    await rm(dataFolder, { recursive: true, force: true });
  }
  try {
    const report = (line: string) => printError(line);
    const servers = await startServers({ supervisor, dataFolder, environment: process.env, report, ports: 'free' });
    const adminToken = randomBytes(24).toString('base64url');
    return await start({ supervisor, servers, dataFolder, adminToken, close });
  } catch (error) {
    await close();
    throw error;
  }
}
