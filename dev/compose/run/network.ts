import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProcessSupervisor, RunningProcess } from '../../environment/processes.ts';
import { untilReady } from '../../environment/ready.ts';
import { Namespace, prefixOf, removeAbandoned } from '../../testbed/namespace.ts';
import type { EnginePrograms } from './engine-packages.ts';

/** Where slirp4netns answers names in every namespace that it serves. */
export const NAME_SERVER = '10.0.2.3';
const READY_TIMEOUT_MS = 10_000;
const DEVICE = 'tap0';

/** A network namespace with a way out, for an engine and those who use its published ports. */
export interface EngineNetwork {
  readonly namespace: Namespace;
  /** Name of the control group of everything that runs in containers. */
  readonly controlGroup: string;
  /** Ends whatever still runs in it and in its containers, and removes it. */
  remove(): Promise<void>;
}

/**
 * Makes a network namespace from which servers outside can be reached, by a program that relays: no rule of this machine's
 * firewall, no address and no port of it is touched, and the ports that Compose publishes are open in the namespace alone.
 */
export async function createEngineNetwork(
  supervisor: ProcessSupervisor,
  programs: EnginePrograms,
): Promise<EngineNetwork> {
  await removeAbandoned();
  const prefix = await prefixOf(process.pid);
  const namespace = await Namespace.add(`${prefix}compose`, { forwards: true });
  const controlGroup = `${prefix}compose`;
  const remove = async () => {
    await namespace.killAll();
    await killGroup(controlGroup);
    await namespace.delete();
  };
  try {
    const relay = await supervisor.start({
      name: 'slirp4netns',
      role: 'server',
      command: join(programs.folder, 'usr/bin/slirp4netns'),
      arguments: [
        ...['--configure', '--mtu=65520', '--disable-host-loopback'],
        ...['--netns-type=path', `/run/netns/${namespace.name}`, DEVICE],
      ],
      environment: programs.environment,
    });
    await untilUp(relay, namespace);
    return { namespace, controlGroup, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function untilUp(relay: RunningProcess, namespace: Namespace): Promise<void> {
  await untilReady(relay, READY_TIMEOUT_MS, async () => {
    const routes = await namespace.run('ip', ['route', 'show', 'default']);
    if (!routes.includes(DEVICE)) throw new Error('there is no way out of the namespace yet');
  });
}

/** Kills what was left running in containers, each of which is in a namespace of its own. */
async function killGroup(controlGroup: string): Promise<void> {
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    const groups = await readFile(join('/proc', pid, 'cgroup'), 'utf8').catch(() => '');
    if (!groups.includes(`/${controlGroup}/`)) continue;
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It has ended by itself meanwhile.
    }
  }
}
