import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { messageOf, StackError } from '../stack/errors.ts';
import { PROJECT_FOLDER, STACK_FOLDER } from '../stack/paths.ts';
import { ProcessSupervisor } from '../stack/processes.ts';
import { fetchServers } from '../stack/servers/index.ts';
import { runInControl } from '../testbed/control.ts';
import { obstacle } from '../testbed/tools.ts';

/*
 * `npm test`: runs all tests in a network namespace of their own, with the servers that they need, so that hosts in
 * namespaces of the test bed can reach the API. Where namespaces are not to be had it runs the tests as they are, and
 * those that need the test bed are reported as skipped.
 */

const VITEST = join(PROJECT_FOLDER, 'node_modules/vitest/vitest.mjs');
const report = (line: string) => console.log(`stack: ${line}`);

/** From inside a namespace nothing can be downloaded. */
async function fetchBeforehand(): Promise<void> {
  const supervisor = new ProcessSupervisor({ folder: join(STACK_FOLDER, 'fetch') });
  await fetchServers({ supervisor, environment: process.env, report }).finally(() => supervisor.stop());
}

async function runHere(vitestArguments: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, ['--disable-warning=TimeoutNegativeWarning', VITEST, ...vitestArguments], {
    stdio: 'inherit',
    detached: true,
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  const [code] = await once(child, 'exit');
  return typeof code === 'number' ? code : 1;
}

try {
  const problem = await obstacle(report);
  const vitestArguments = ['run', ...process.argv.slice(2)];
  if (problem === null) {
    await fetchBeforehand();
    process.exitCode = await runInControl(VITEST, vitestArguments);
  } else {
    console.log(`The test bed cannot be made here (${problem}); the tests that need it are skipped.`);
    process.exitCode = await runHere(vitestArguments);
  }
} catch (error) {
  console.error(error instanceof StackError ? error.message : `The tests could not be run: ${messageOf(error)}`);
  process.exitCode = 1;
}
