import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
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
 * other namespaces without anybody else reaching them. Removes that namespace and all that the script made when it ends,
 * however it ends, and what earlier ones left that could not. Resolves with the exit code.
 */
export async function runInControl(script: string, scriptArguments: readonly string[]): Promise<number> {
  await removeAbandoned();
  const prefix = await prefixOf(process.pid);
  const control = await Namespace.add(`${prefix}control`);
  try {
    const child = spawn(
      'nsenter',
      [
        `--net=/run/netns/${control.name}`,
        ...[process.execPath, '--disable-warning=TimeoutNegativeWarning', script, ...scriptArguments],
      ],
      {
        stdio: 'inherit',
        // Gets each signal from here, and once.
        detached: true,
        env: { ...process.env, [CONTROL_VARIABLE]: control.name, [PREFIX_VARIABLE]: prefix },
      },
    );
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
    const [code, signal] = await once(child, 'exit');
    return typeof signal === 'string'
      ? 128 + (signal === 'SIGINT' ? constants.signals.SIGINT : constants.signals.SIGTERM)
      : Number(code);
  } finally {
    for (const namespace of await namespacesOf(prefix)) await namespace.delete();
  }
}
