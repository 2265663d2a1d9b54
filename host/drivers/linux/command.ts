import { spawn } from 'node:child_process';

const TIMEOUT_MS = 10_000;
const LONGEST_MESSAGE = 500;

/** A command of the host's own tools failed; `code` is null when it was killed or could not be run. */
export class CommandError extends Error {
  readonly command: string;
  readonly code: number | null;
  /** What it printed as its reason. */
  readonly reason: string;

  constructor(command: string, code: number | null, reason: string) {
    super(`${command} failed${code === null ? '' : ` with code ${code}`}: ${reason.slice(0, LONGEST_MESSAGE)}`);
    this.name = 'CommandError';
    this.command = command;
    this.code = code;
    this.reason = reason;
  }
}

/**
 * Runs one of the host's tools, without a shell, and answers what it printed. Throws {@link CommandError} when it fails
 * or takes longer than ten seconds.
 */
export function runCommand(
  command: string,
  commandArguments: readonly string[],
  input: string | Uint8Array = '',
): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const child = spawn(command, commandArguments, { timeout: TIMEOUT_MS, killSignal: 'SIGKILL' });
  const output: Buffer[] = [];
  const complaints: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => complaints.push(chunk));
  // A command that ends before it has read everything says why on its standard error.
  child.stdin.on('error', () => {});
  child.on('error', (error) => reject(new CommandError(command, null, error.message)));
  child.on('close', (code, signal) => {
    const reason = Buffer.concat(complaints).toString().trim();
    if (code === 0) resolve(Buffer.concat(output).toString());
    else reject(new CommandError(command, code, reason || `ended by ${signal ?? 'itself'}`));
  });
  child.stdin.end(input);
  return promise;
}
