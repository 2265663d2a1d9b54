import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { PROJECT_FOLDER } from '../../dev/environment/paths.ts';
import { until } from '../../dev/kit/until.ts';

/** Every process and command that reaches MySQL as it starts. */
export const PROGRAMS_ON_MYSQL = [
  'api/main.ts',
  'workers/main.ts',
  'edge/main.ts',
  'ops/migrate/main.ts',
  'ops/consistency/main.ts',
  'ops/audit-log/main.ts',
  'dev/legacy/main.ts',
  'dev/legacy/services/main.ts',
];

/** How a program ended. */
export interface ProgramEnd {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** How to run a program; variables of the environment that are undefined are taken out of it. */
export interface ProgramOptions {
  environment?: Record<string, string | undefined>;
  /** The project that the script is of; default this one. */
  folder?: string;
  /** What runs the script; default the Node of this process. */
  interpreter?: string;
}

/** A script of the project as a process of its own. */
export class Program {
  readonly #script: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<ProgramEnd>;
  #stdout = '';
  #stderr = '';

  constructor(script: string, programArguments: string[], options: ProgramOptions = {}) {
    this.#script = script;
    const { environment = {}, folder = PROJECT_FOLDER, interpreter = process.execPath } = options;
    const nodeArguments = interpreter === process.execPath ? ['--disable-warning=TimeoutNegativeWarning'] : [];
    this.#child = spawn(interpreter, [...nodeArguments, join(folder, script), ...programArguments], {
      cwd: folder,
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
    this.#ended = once(this.#child, 'close').then(() => ({
      code: this.#child.exitCode,
      stdout: this.#stdout,
      stderr: this.#stderr,
    }));
  }

  /** Waits until it has printed something. */
  async printed(text: string, withinMs?: number): Promise<void> {
    const what = `${this.#script} printed ${text}`;
    await until(what, async () => this.#stdout.includes(text), withinMs);
  }

  /** What it has printed so far, its log included. */
  get output(): string {
    return this.#stdout + this.#stderr;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Waits for its end. */
  ended(): Promise<ProgramEnd> {
    return this.#ended;
  }
}

/** Starts a program, which is killed when the running test is over. */
export function startProgram(script: string, programArguments: string[], options?: ProgramOptions): Program {
  const program = new Program(script, programArguments, options);
  onTestFinished(() => program.signal('SIGKILL'));
  return program;
}

/** Runs a program to its end. */
export function runProgram(script: string, programArguments: string[], options?: ProgramOptions): Promise<ProgramEnd> {
  return startProgram(script, programArguments, options).ended();
}
