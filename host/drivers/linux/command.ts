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

/** The host's own tools, run without a shell: in the network that the agent is in, or in another one. */
export class SystemCommands {
  readonly #prefix: readonly string[];

  /** `prefix`: a command that runs the one behind it in another network namespace; none by default. */
  constructor(prefix: readonly string[] = []) {
    this.#prefix = prefix;
  }

  /**
   * Runs a tool to its end and answers what it printed. Throws {@link CommandError} when it fails or takes longer than
   * ten seconds.
   */
  run(command: string, commandArguments: readonly string[], input: string | Uint8Array = ''): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const [file = command, ...rest] = [...this.#prefix, command, ...commandArguments];
    const child = spawn(file, rest, { timeout: TIMEOUT_MS, killSignal: 'SIGKILL' });
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

  /**
   * Runs a tool that goes on until the signal is aborted, and calls back whenever it prints something. Resolves when it
   * has ended, for whatever reason.
   */
  async follow(
    command: string,
    commandArguments: readonly string[],
    { signal, onOutput }: { signal: AbortSignal; onOutput: () => void },
  ): Promise<void> {
    const [file = command, ...rest] = [...this.#prefix, command, ...commandArguments];
    const child = spawn(file, rest, { stdio: ['ignore', 'pipe', 'ignore'], signal });
    child.stdout.on('data', onOutput);
    await new Promise<void>((resolve) => {
      child.once('close', () => resolve());
      child.once('error', () => resolve());
    });
  }
}
