import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const TIMEOUT_MS = 120_000;
const LARGEST_OUTPUT = 64 * 1024 * 1024;

/** Runs a command to its end, without a shell, and answers what it printed. Rejects with what it complained of. */
export async function run(
  command: string,
  commandArguments: readonly string[],
  { input, environment = process.env }: { input?: string; environment?: NodeJS.ProcessEnv } = {},
): Promise<string> {
  const running = execute(command, [...commandArguments], {
    env: environment,
    timeout: TIMEOUT_MS,
    maxBuffer: LARGEST_OUTPUT,
  });
  // A command that ends before it has read everything says why by its exit code.
  running.child.stdin?.on('error', () => {}).end(input ?? '');
  return (await running).stdout;
}
