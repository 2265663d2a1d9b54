import { setTimeout as sleep } from 'node:timers/promises';
import {
  type ProcessStart,
  ProcessSupervisor,
  type RunningProcess,
  type SupervisorOptions,
} from '../../dev/environment/processes.ts';

const RESTART_ATTEMPTS = 8;
const RESTART_PAUSE_MS = 500;

/** Changes how a process is started, by its name. */
export type Adaptation = (start: ProcessStart) => ProcessStart;

/** A supervisor whose processes can be killed by name, and started again as they were. */
export class FaultyProcesses extends ProcessSupervisor {
  readonly #adapt: Adaptation;
  readonly #expected: Set<string>;

  constructor({ folder, onUnexpectedExit }: SupervisorOptions, adapt: Adaptation) {
    const expected = new Set<string>();
    super({ folder, onUnexpectedExit: (failure) => expected.has(failure.processName) || onUnexpectedExit?.(failure) });
    this.#adapt = adapt;
    this.#expected = expected;
  }

  override start(start: ProcessStart): Promise<RunningProcess> {
    return super.start(this.#adapt(start));
  }

  override run(start: ProcessStart): Promise<void> {
    return super.run(this.#adapt(start));
  }

  override async kill(name: string): Promise<void> {
    this.expectDeath(name);
    await super.kill(name);
  }

  /** From now until it is up again, the end of a process is nobody's fault. */
  expectDeath(name: string): void {
    this.#expected.add(name);
  }

  /** Whether the process runs. */
  async isRunning(name: string): Promise<boolean> {
    const ended = this.find(name).exited.then(() => false);
    return Promise.race([ended, sleep(0, true)]);
  }

  /** Starts a process again unless it runs, and waits until `check` passes; starts it anew when it ends meanwhile. */
  async bringUp(name: string, check: () => Promise<void>, withinMs: number): Promise<void> {
    const deadline = Date.now() + withinMs;
    for (let attempt = 1; ; ) {
      if (!(await this.isRunning(name))) {
        if (attempt > RESTART_ATTEMPTS) throw new Error(`${name} does not stay up`);
        attempt++;
        await this.startAgain(name);
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
}
