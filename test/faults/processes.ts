import { setTimeout as sleep } from 'node:timers/promises';
import type { ProcessFailedError } from '../../dev/environment/errors.ts';
import {
  type ProcessStart,
  ProcessSupervisor,
  type RunningProcess,
  signalGroup,
} from '../../dev/environment/processes.ts';

const RESTART_ATTEMPTS = 8;
const RESTART_PAUSE_MS = 500;

/** Changes how a process is started, by its name. */
export type Adaptation = (start: ProcessStart) => ProcessStart;

/** A supervisor whose processes can be killed by name, and started again as they were. */
export class FaultyProcesses extends ProcessSupervisor {
  readonly #adapt: Adaptation;
  readonly #started = new Map<string, { start: ProcessStart; process: RunningProcess }>();
  readonly #expected: Set<string>;
  /** Processes that have ended without being killed here, with the end of their logs. */
  readonly deaths: ProcessFailedError[];

  constructor(folder: string, adapt: Adaptation) {
    const deaths: ProcessFailedError[] = [];
    const expected = new Set<string>();
    super({ folder, onUnexpectedExit: (failure) => expected.has(failure.processName) || deaths.push(failure) });
    this.#adapt = adapt;
    this.#expected = expected;
    this.deaths = deaths;
  }

  override async start(start: ProcessStart): Promise<RunningProcess> {
    const adapted = this.#adapt(start);
    const process = await super.start(adapted);
    this.#started.set(start.name, { start: adapted, process });
    return process;
  }

  override run(start: ProcessStart): Promise<void> {
    return super.run(this.#adapt(start));
  }

  /** Kills a process and resolves when it is gone. */
  async kill(name: string): Promise<void> {
    this.expectDeath(name);
    const { process } = this.#find(name);
    signalGroup(process.pid, 'SIGKILL');
    await process.exited;
  }

  /** Sends a signal to a process, such as SIGSTOP. */
  signal(name: string, signal: NodeJS.Signals): void {
    signalGroup(this.#find(name).process.pid, signal);
  }

  /** From now until it is up again, the end of a process is nobody's fault. */
  expectDeath(name: string): void {
    this.#expected.add(name);
  }

  /** Whether the process runs. */
  async isRunning(name: string): Promise<boolean> {
    const ended = this.#find(name).process.exited.then(() => false);
    return Promise.race([ended, sleep(0, true)]);
  }

  /** Starts a process again unless it runs, and waits until `check` passes; starts it anew when it ends meanwhile. */
  async bringUp(name: string, check: () => Promise<void>, withinMs: number): Promise<void> {
    const deadline = Date.now() + withinMs;
    for (let attempt = 1; ; ) {
      if (!(await this.isRunning(name))) {
        if (attempt > RESTART_ATTEMPTS) throw new Error(`${name} does not stay up`);
        attempt++;
        const { start } = this.#find(name);
        this.#started.set(name, { start, process: await super.start(start) });
      }
      const problem = await check().then(
        () => null,
        (error: unknown) => error,
      );
      if (problem === null) break;
      if (Date.now() > deadline) throw new Error(`${name} is not back after ${withinMs} ms`, { cause: problem });
      await sleep(RESTART_PAUSE_MS);
    }
    this.#expected.delete(name);
  }

  #find(name: string): { start: ProcessStart; process: RunningProcess } {
    const found = this.#started.get(name);
    if (!found) throw new Error(`there is no process ${name}`);
    return found;
  }
}
