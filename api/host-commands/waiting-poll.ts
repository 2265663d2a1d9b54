import type { IssuedHostCommand } from '../../domain/host-protocol.ts';

/** One poll of one host. */
export interface CommandPoll {
  host: { id: number; name: string };
  /** The host has seen everything up to this sequence. */
  after: number;
  /** Most commands to answer. */
  limit: number;
  /** How long to wait for a first command, in milliseconds. */
  waitMs: number;
  /** Aborted when the host hangs up. */
  signal: AbortSignal;
}

/** A host has nothing open after one sequence and up to another, as of a time on the clock of `performance.now()`. */
export interface Knowledge {
  after: number;
  upTo: number;
  at: number;
}

/** Options of {@link WaitingPoll}. */
export interface WaitingPollOptions {
  poll: CommandPoll;
  /** What is known of the host already; null when its commands have to be read first. */
  knowledge: Knowledge | null;
  /** The longest that it may wait, in milliseconds, whatever the host asked for. */
  mostWaitMs: number;
  /** Called once, when the poll is over and before it is answered; without commands when it failed. */
  onOver(over: WaitingPoll, commands: IssuedHostCommand[] | null): void;
}

/** A poll that is being waited for: it is answered once, by commands, by the end of its wait, or by an error. */
export class WaitingPoll {
  readonly poll: CommandPoll;
  readonly arrivedAt = performance.now();
  knowledge: Knowledge | null;
  readonly #answer = Promise.withResolvers<IssuedHostCommand[]>();
  readonly #onOver: WaitingPollOptions['onOver'];
  readonly #giveUp = () => this.finish([]);
  readonly #timer: NodeJS.Timeout | undefined;
  #isWaiting = true;

  constructor({ poll, knowledge, mostWaitMs, onOver }: WaitingPollOptions) {
    this.poll = poll;
    this.knowledge = knowledge;
    this.#onOver = onOver;
    // A poll that does not wait is answered by its first look.
    this.#timer = poll.waitMs === 0 ? undefined : setTimeout(this.#giveUp, Math.min(poll.waitMs, mostWaitMs));
    poll.signal.addEventListener('abort', this.#giveUp, { once: true });
  }

  get answer(): Promise<IssuedHostCommand[]> {
    return this.#answer.promise;
  }

  get isWaiting(): boolean {
    return this.#isWaiting;
  }

  /** Answers the poll, unless it is over. */
  finish(commands: IssuedHostCommand[]): void {
    if (this.#end(commands)) this.#answer.resolve(commands);
  }

  /** Has the poll end in an error, unless it is over. */
  fail(error: unknown): void {
    if (this.#end(null)) this.#answer.reject(error);
  }

  #end(commands: IssuedHostCommand[] | null): boolean {
    if (!this.#isWaiting) return false;
    this.#isWaiting = false;
    clearTimeout(this.#timer);
    this.poll.signal.removeEventListener('abort', this.#giveUp);
    this.#onOver(this, commands);
    return true;
  }
}
