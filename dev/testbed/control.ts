import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { join } from 'node:path';
import { DEV_FOLDER } from '../environment/paths.ts';
import { ProcessSupervisor } from '../environment/processes.ts';
import { fetchServers, type Report } from '../environment/servers/index.ts';
import { Namespace, namespacesOf, prefixOf, removeAbandoned } from './namespace.ts';

/** Names the namespace that a process runs in, for the process itself. */
const CONTROL_VARIABLE = 'TESTBED_CONTROL';
const PREFIX_VARIABLE = 'TESTBED_PREFIX';

/** The namespace that this process runs in, and what the names of those that it makes begin with. */
export interface Control {
  namespace: Namespace;
  prefix: string;
}

/** Where this process runs; null when it is in no namespace of the project's. */
export function currentControl(environment: NodeJS.ProcessEnv = process.env): Control | null {
  const { [CONTROL_VARIABLE]: name, [PREFIX_VARIABLE]: prefix } = environment;
  return name === undefined || prefix === undefined ? null : { namespace: new Namespace(name), prefix };
}

/**
 * Runs a script of the project in a namespace of its own, where the servers of the control plane can listen for hosts in
 * other namespaces without anybody else reaching them. Gets the servers onto the machine first, since nothing can be
 * downloaded from inside. Removes that namespace and all that the script made when it ends, however it ends, and what
 * earlier ones left that could not. Resolves with the exit code.
 */
export async function runInControl(
  script: string,
  scriptArguments: readonly string[],
  report: Report,
): Promise<number> {
  const supervisor = new ProcessSupervisor({ folder: join(DEV_FOLDER, 'fetch') });
  await fetchServers({ supervisor, environment: process.env, report }).finally(() => supervisor.stop());
  await removeAbandoned();
  const prefix = await prefixOf(process.pid);
  const control = await Namespace.add(`${prefix}control`);
  try {
    return await runScript(script, scriptArguments, {
      prefix: ['nsenter', `--net=/run/netns/${control.name}`],
      environment: { ...process.env, [CONTROL_VARIABLE]: control.name, [PREFIX_VARIABLE]: prefix },
    });
  } finally {
    for (const namespace of await namespacesOf(prefix)) await namespace.delete();
  }
}

/** Runs a script of the project to its end, passing signals on to it; resolves with the exit code. */
export async function runScript(
  script: string,
  scriptArguments: readonly string[],
  { prefix = [], environment = process.env }: { prefix?: readonly string[]; environment?: NodeJS.ProcessEnv } = {},
): Promise<number> {
  const node = [process.execPath, '--disable-warning=TimeoutNegativeWarning', script, ...scriptArguments];
  const [command = '', ...rest] = [...prefix, ...node];
  // In a process group of its own it gets each signal from here, and once.
  const child = spawn(command, rest, { stdio: 'inherit', detached: true, env: environment });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  const [code, signal] = await once(child, 'exit');
  return typeof signal === 'string'
    ? 128 + (signal === 'SIGINT' ? constants.signals.SIGINT : constants.signals.SIGTERM)
    : Number(code);
}
