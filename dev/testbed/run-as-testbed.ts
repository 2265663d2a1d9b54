import { fileURLToPath } from 'node:url';
import { describeError, print, printError, printUncaughtErrors } from '../../platform/text/print.ts';
import { EnvironmentError } from '../environment/errors.ts';
import { stoppingSignal } from '../kit/script.ts';
import { type Control, currentControl, runInControl } from './control.ts';
import { obstacle } from './tools.ts';

/**
 * Runs a script in a control namespace of its own: the first time it is run it makes one and starts itself again in
 * there, where `body` is called. Whatever it makes is removed when it ends. SIGINT and SIGTERM abort `signal`.
 *
 * @param scriptUrl `import.meta.url` of the script.
 */
export async function runAsTestbed(
  scriptUrl: string,
  body: (control: Control, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  printUncaughtErrors();
  try {
    const control = currentControl();
    if (control) await body(control, stoppingSignal());
    else await outside(fileURLToPath(scriptUrl));
  } catch (error) {
    printError(error instanceof EnvironmentError ? error.message : describeError(error));
    process.exitCode = 1;
  }
}

async function outside(script: string): Promise<void> {
  const problem = await obstacle(print);
  if (problem !== null) throw new EnvironmentError(`The test bed cannot be made here: ${problem}.`);
  process.exitCode = await runInControl(script, process.argv.slice(2), print);
}
