const PAUSE_AFTER_ERROR_MS = 250;

/** Options of {@link Rounds}. */
export interface RoundsOptions {
  /** What a round does; `isTick` when the pause since the last tick is over. */
  run(isTick: boolean): Promise<void>;
  /** Called with what a round throws; the next tick comes later then. */
  onError(error: unknown): void;
  /** Whether there is to be another tick. */
  isNeeded(): boolean;
  /** Pause between two ticks, in milliseconds. */
  tickMs: number;
}

/**
 * Rounds that run one after the other, never two at once, and what comes up meanwhile goes into the next: at once
 * whenever one is asked for, and with a tick from time to time while ticks are needed.
 */
export class Rounds {
  readonly #options: RoundsOptions;
  #timer: NodeJS.Timeout | undefined;
  #tickIsDue = false;
  #state: 'idle' | 'running' | 'running, to be repeated' | 'stopped' = 'idle';

  constructor(options: RoundsOptions) {
    this.#options = options;
  }

  /** Runs a round now, or right after the one that is running. */
  request(): void {
    if (this.#state === 'idle') void this.#run();
    else if (this.#state === 'running') this.#state = 'running, to be repeated';
  }

  /** Has the next tick come after the pause, if it is needed and none is to come yet. */
  schedule(pauseMs = this.#options.tickMs): void {
    if (this.#timer !== undefined || this.#state === 'stopped' || !this.#options.isNeeded()) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#tickIsDue = true;
      this.request();
    }, pauseMs);
  }

  /** Calls the next tick off when it is not needed any more. */
  relax(): void {
    if (!this.#options.isNeeded()) this.#cancel();
  }

  /** No further round begins; the one that is running is not waited for. */
  stop(): void {
    this.#state = 'stopped';
    this.#cancel();
  }

  #cancel(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  async #run(): Promise<void> {
    let pauseMs = this.#options.tickMs;
    do {
      this.#state = 'running';
      const isTick = this.#tickIsDue;
      this.#tickIsDue = false;
      try {
        await this.#options.run(isTick);
      } catch (error) {
        this.#options.onError(error);
        pauseMs = PAUSE_AFTER_ERROR_MS;
      }
    } while (this.#isToBeRepeated());
    if (this.#state === 'running') this.#state = 'idle';
    this.schedule(pauseMs);
  }

  /** A method, because the compiler takes the state for what the loop has just set. */
  #isToBeRepeated(): boolean {
    return this.#state === 'running, to be repeated';
  }
}
