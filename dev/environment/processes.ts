import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, renameSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EnvironmentError, EnvironmentStoppingError, messageOf, ProcessFailedError } from './errors.ts';
import { type ProcessRole, removeRecord, writeRecord } from './process-record.ts';
import { identityOf, type ProcessIdentity } from './process-table.ts';

/** What to start. */
export interface ProcessStart {
  readonly name: string;
  readonly role: ProcessRole;
  readonly command: string;
  readonly arguments: readonly string[];
  readonly workingFolder?: string;
  /** The whole environment of the child; that of this process when left out. */
  readonly environment?: NodeJS.ProcessEnv;
  /** How long to wait after SIGTERM before SIGKILL. */
  readonly stopTimeoutMs?: number;
}

/** How a child ended. */
export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A child that was started. */
export interface RunningProcess {
  readonly name: string;
  readonly role: ProcessRole;
  readonly pid: number;
  readonly logFile: string;
  /** With which it can be started again. */
  readonly start: ProcessStart;
  /** Resolves when the child has ended, for whatever reason; never rejects. */
  readonly exited: Promise<ProcessExit>;
  /** SIGTERM, then SIGKILL when that takes too long; resolves when the child is gone. */
  stop(): Promise<void>;
}

/** Where a supervisor keeps its files, and whom it tells of a child that died by itself. */
export interface SupervisorOptions {
  /** Holds `processes.json` and `logs/`. */
  readonly folder: string;
  readonly onUnexpectedExit?: (failure: ProcessFailedError) => void;
}

interface Entry {
  readonly process: RunningProcess;
  readonly identity: ProcessIdentity;
  readonly command: string;
  expectedToEnd: boolean;
}

const STOP_ORDER: readonly ProcessRole[][] = [['tool', 'application'], ['server']];
const DEFAULT_STOP_TIMEOUT_MS = 15_000;

/**
 * Starts child processes in process groups of their own, so that a terminal's Ctrl-C reaches only this process, which
 * then stops them in order. What is running is recorded in `<folder>/processes.json` for a clean-up after a crash.
 */
export class ProcessSupervisor {
  readonly folder: string;
  readonly #onUnexpectedExit: (failure: ProcessFailedError) => void;
  readonly #entries = new Map<number, Entry>();
  /** The newest of each name, whether it still runs or not. */
  readonly #newest = new Map<string, Entry>();
  #stopping = false;

  constructor(options: SupervisorOptions) {
    this.folder = options.folder;
    this.#onUnexpectedExit = options.onUnexpectedExit ?? (() => {});
    mkdirSync(join(options.folder, 'logs'), { recursive: true });
  }

  /** Whether `stop()` has been called: nothing can be started any more. */
  get stopping(): boolean {
    return this.#stopping;
  }

  /**
   * Starts a child and resolves once it is running; its output goes to `<folder>/logs/<name>.log`.
   *
   * @throws {EnvironmentError} when the command cannot be executed.
   * @throws {EnvironmentStoppingError} after `stop()`.
   */
  async start(start: ProcessStart): Promise<RunningProcess> {
    return (await this.#launch(start, false)).process;
  }

  /**
   * Runs a child to its end.
   *
   * @throws {ProcessFailedError} when it ends with anything but code 0.
   */
  async run(start: ProcessStart): Promise<void> {
    const { process } = await this.#launch(start, true);
    const exit = await process.exited;
    if (this.#stopping) throw new EnvironmentStoppingError();
    if (exit.code !== 0) throw await failureOf(process, describeExit(exit));
  }

  /** Stops every child, the application before the servers it uses, and refuses to start more. Safe to call again. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const roles of STOP_ORDER) await this.#stopRoles(roles);
  }

  /** The newest process of a name, which may have ended; throws a {@link EnvironmentError} when there was none. */
  find(name: string): RunningProcess {
    return this.#find(name).process;
  }

  /** Kills a process with all its children, which is then nobody's fault; resolves when it is gone. */
  async kill(name: string): Promise<void> {
    const entry = this.#find(name);
    entry.expectedToEnd = true;
    signalGroup(entry.process.pid, 'SIGKILL');
    await entry.process.exited;
  }

  /** Sends a signal to a process with all its children, such as SIGSTOP. */
  signal(name: string, signal: NodeJS.Signals): void {
    signalGroup(this.#find(name).process.pid, signal);
  }

  /** Starts a process that has ended again as it was started before. */
  async startAgain(name: string): Promise<RunningProcess> {
    return (await this.#launch(this.#find(name).process.start, false)).process;
  }

  /** SIGKILL to everything at once, for someone who does not want to wait. */
  killAll(): void {
    this.#stopping = true;
    for (const entry of this.#entries.values()) {
      entry.expectedToEnd = true;
      signalGroup(entry.process.pid, 'SIGKILL');
    }
  }

  async #stopRoles(roles: readonly ProcessRole[]): Promise<void> {
    const chosen = [...this.#entries.values()].filter((entry) => roles.includes(entry.process.role));
    await Promise.all(chosen.map((entry) => entry.process.stop()));
  }

  async #launch(start: ProcessStart, expectedToEnd: boolean): Promise<Entry> {
    if (this.#stopping) throw new EnvironmentStoppingError();
    const logFile = openLog(this.folder, start.name);
    const child = spawn(start.command, [...start.arguments], {
      cwd: start.workingFolder,
      env: start.environment ?? process.env,
      detached: true,
      stdio: ['ignore', logFile.descriptor, logFile.descriptor],
    });
    closeSync(logFile.descriptor);
    const exited = exitOf(child);
    try {
      await once(child, 'spawn');
    } catch (error) {
      throw new EnvironmentError(`${start.name} could not be started (${start.command}): ${messageOf(error)}`);
    }
    const pid = child.pid ?? 0;
    const entry: Entry = {
      identity: (await identityOf(pid)) ?? { pid, startTime: '' },
      command: [start.command, ...start.arguments].join(' '),
      expectedToEnd,
      process: {
        name: start.name,
        role: start.role,
        pid,
        logFile: logFile.path,
        start,
        exited,
        stop: () => this.#stopEntry(entry, start.stopTimeoutMs ?? DEFAULT_STOP_TIMEOUT_MS),
      },
    };
    this.#entries.set(pid, entry);
    this.#newest.set(start.name, entry);
    this.#record();
    void exited.then((exit) => this.#onExit(entry, exit));
    if (this.#stopping) {
      await entry.process.stop();
      throw new EnvironmentStoppingError();
    }
    return entry;
  }

  #find(name: string): Entry {
    const entry = this.#newest.get(name);
    if (entry === undefined) throw new EnvironmentError(`there is no process ${name}`);
    return entry;
  }

  async #onExit(entry: Entry, exit: ProcessExit): Promise<void> {
    this.#entries.delete(entry.process.pid);
    this.#record();
    if (!entry.expectedToEnd) this.#onUnexpectedExit(await failureOf(entry.process, describeExit(exit)));
  }

  async #stopEntry(entry: Entry, timeoutMs: number): Promise<void> {
    if (!this.#entries.has(entry.process.pid)) return;
    entry.expectedToEnd = true;
    signalGroup(entry.process.pid, 'SIGTERM');
    const timer = new AbortController();
    const late = sleep(timeoutMs, 'late', { signal: timer.signal }).catch(() => undefined);
    if ((await Promise.race([entry.process.exited, late])) === 'late') signalGroup(entry.process.pid, 'SIGKILL');
    timer.abort();
    await entry.process.exited;
  }

  #record(): void {
    const processes = [...this.#entries.values()].map((entry) => ({
      ...entry.identity,
      name: entry.process.name,
      role: entry.process.role,
      command: entry.command,
    }));
    if (processes.length === 0) removeRecord(this.folder);
    else writeRecord(this.folder, processes);
  }
}

/** The last lines of a log file, long ones shortened; empty when there is none. */
export async function logTail(file: string, maximumLines = 15): Promise<string> {
  const handle = await open(file).catch(() => undefined);
  if (handle === undefined) return '';
  try {
    const { size } = await handle.stat();
    const length = Math.min(size, 16_384);
    const { buffer } = await handle.read(Buffer.alloc(length), 0, length, size - length);
    const lines = buffer.toString('utf8').trimEnd().split('\n').slice(-maximumLines);
    return lines.map((line) => (line.length > 400 ? `${line.slice(0, 200)} … ${line.slice(-200)}` : line)).join('\n');
  } finally {
    await handle.close();
  }
}

/** The error for a child in trouble, with the end of its log. */
export async function failureOf(process: RunningProcess, problem: string): Promise<ProcessFailedError> {
  return new ProcessFailedError(process.name, problem, process.logFile, await logTail(process.logFile));
}

/** `ended with code 1` or `was ended by SIGKILL`. */
export function describeExit(exit: ProcessExit): string {
  return exit.signal === null ? `ended with code ${exit.code}` : `was ended by ${exit.signal}`;
}

/** Sends a signal to a child's whole process group; one that is gone already is no error. */
export function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

function openLog(folder: string, name: string): { path: string; descriptor: number } {
  const path = join(folder, 'logs', `${name}.log`);
  try {
    renameSync(path, join(folder, 'logs', `${name}.previous.log`));
  } catch {
    // There was no earlier run.
  }
  return { path, descriptor: openSync(path, 'a', 0o600) };
}

function exitOf(child: ChildProcess): Promise<ProcessExit> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
    child.once('error', () => resolve({ code: null, signal: null }));
  });
}
