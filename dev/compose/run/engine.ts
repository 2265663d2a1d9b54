import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProcessSupervisor } from '../../environment/processes.ts';
import { untilReady } from '../../environment/ready.ts';
import { Docker } from './docker.ts';
import type { EnginePrograms } from './engine-packages.ts';

const READY_TIMEOUT_MS = 60_000;
/** It stops the containers first. */
const STOP_TIMEOUT_MS = 90_000;
/** Mounts a file of its own over the names of servers, which is seen by nobody else in a mount namespace of its own. */
const WITH_NAME_SERVER = 'mount --bind "$0" /etc/resolv.conf && exec "$@"';

/** Where an engine keeps what. */
export interface EngineOptions {
  readonly supervisor: ProcessSupervisor;
  readonly programs: EnginePrograms;
  /** Images, containers and volumes. */
  readonly dataFolder: string;
  /** Sockets and the record of its process; its path is short, because those of sockets may have 107 characters. */
  readonly runFolder: string;
  /** Address of the name server in the network namespace of this process. */
  readonly nameServer: string;
  /** The control group under which containers run, by which those that are left behind are found. */
  readonly controlGroup: string;
}

/**
 * Starts a Docker engine of this process's own in the network namespace of this process, and waits until it answers. It
 * has a data folder, a socket, a bridge and control groups of its own, and knows nothing of another engine.
 *
 * @throws {ProcessFailedError} when it ends, or does not answer in time.
 */
export async function startEngine(options: EngineOptions): Promise<Docker> {
  const { supervisor, programs, dataFolder, runFolder } = options;
  const socket = join(runFolder, 'docker.sock');
  const resolvConf = join(runFolder, 'resolv.conf');
  await mkdir(dataFolder, { recursive: true });
  await writeFile(resolvConf, `nameserver ${options.nameServer}\n`);
  const engine = await supervisor.start({
    name: 'dockerd',
    role: 'server',
    command: 'unshare',
    arguments: [
      ...['--mount', '--propagation', 'private', 'sh', '-c', WITH_NAME_SERVER, resolvConf],
      join(programs.folder, 'usr/sbin/dockerd'),
      ...['--host', `unix://${socket}`, '--data-root', dataFolder, '--exec-root', join(runFolder, 'exec')],
      ...['--pidfile', join(runFolder, 'docker.pid'), '--cgroup-parent', options.controlGroup],
    ],
    environment: programs.environment,
    stopTimeoutMs: STOP_TIMEOUT_MS,
  });
  const docker = await Docker.configure(supervisor, programs, {
    socket,
    configurationFolder: join(runFolder, 'configuration'),
  });
  await untilReady(engine, READY_TIMEOUT_MS, async () => {
    await docker.output('version');
  });
  return docker;
}
