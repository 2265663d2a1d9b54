import type { Logger } from 'pino';
import type { Database } from '../../db/database.ts';
import { LONGEST_GAP_MS, LOOKBACK_MS } from '../../db/raised-hosts.ts';
import type { IssuedHostCommand } from '../../domain/host-protocol.ts';
import { DuePolls } from './due-polls.ts';
import { HostKnowledge } from './host-knowledge.ts';
import { Rounds } from './rounds.ts';
import { type Tick, Ticks } from './ticks.ts';
import { type CommandPoll, WaitingPoll } from './waiting-poll.ts';
import { WaitingPolls } from './waiting-polls.ts';

/** Hosts that know of no other process would otherwise ask again at once, over and over. */
const DRAINING_WAIT_MS = 100;

/** Options of {@link WaitingHosts}. */
export interface WaitingHostsOptions {
  db: Database;
  logger: Logger;
  /** Pause between two ticks, in milliseconds; default 40. */
  tickMs?: number;
  /** Polls of one host that may wait at a time; a further one ends the oldest. Default 4. */
  mostPerHost?: number;
}

/**
 * All hosts that wait in this process for a command. One query a tick asks which hosts were given commands lately, and
 * only what it finds is read, by one further query. A command admitted in this process wakes its host at once, without
 * waiting for the tick. Whoever else needs to know which hosts were given something goes by the same ticks.
 */
export class WaitingHosts {
  readonly #logger: Logger;
  readonly #polls: WaitingPolls;
  readonly #due: DuePolls;
  readonly #ticks: Ticks;
  readonly #rounds: Rounds;
  readonly #knowledge = new HostKnowledge(LONGEST_GAP_MS);
  #failing = false;
  #closed = false;
  /** The longest that a poll may wait, in milliseconds. */
  #mostWaitMs = Number.POSITIVE_INFINITY;

  constructor({ db, logger, tickMs = 40, mostPerHost = 4 }: WaitingHostsOptions) {
    this.#logger = logger;
    this.#polls = new WaitingPolls(mostPerHost);
    this.#due = new DuePolls(db);
    this.#ticks = new Ticks({ db, lookbackMs: LOOKBACK_MS, longestGapMs: LONGEST_GAP_MS });
    this.#ticks.onTick((tick) => this.#noteRaised(tick));
    this.#rounds = new Rounds({
      tickMs,
      run: (isTick) => this.#round(isTick),
      onError: (error) => this.#failFirstLooks(error),
      isNeeded: () => !this.#polls.isEmpty || this.#ticks.isAwaited,
    });
  }

  /**
   * Answers a host's unacknowledged commands after a sequence, in order, as soon as there is one; an empty list when the
   * wait is over, the host hung up or the process is closing. Throws when the database does not answer the first look.
   */
  wait(poll: CommandPoll): Promise<IssuedHostCommand[]> {
    if (this.#closed || poll.signal.aborted) return Promise.resolve([]);
    const waiting = new WaitingPoll({
      poll,
      knowledge: poll.waitMs > 0 ? this.#knowledge.recall(poll) : null,
      mostWaitMs: this.#mostWaitMs,
      onOver: (over, commands) => this.#forget(over, commands),
    });
    this.#polls.add(waiting);
    if (waiting.knowledge) {
      this.#rounds.schedule();
    } else {
      this.#due.add(waiting, poll.after);
      this.#rounds.request();
    }
    return waiting.answer;
  }

  /** Says that these hosts, by name, have just been given commands; call it after the commit. */
  wake(hostNames: Iterable<string>): void {
    for (const name of hostNames) {
      const polls = this.#polls.ofHostNamed(name);
      if (polls.size === 0) this.#knowledge.noteWoken(name);
      for (const waiting of polls) this.#due.add(waiting, waiting.poll.after);
    }
    if (!this.#due.isEmpty) this.#rounds.request();
  }

  /** Has the listener hear what each tick has found, before anyone who waits for the tick. */
  onTick(listener: (tick: Tick) => void): void {
    this.#ticks.onTick(listener);
  }

  /** Waits for a tick that begins after this call; false when it failed or the process is closing. */
  nextTick(): Promise<boolean> {
    if (this.#closed) return Promise.resolve(false);
    const next = this.#ticks.next();
    this.#rounds.schedule();
    return next;
  }

  /** Answers everyone who waits, so that they go on with another process; who comes later does not wait for long. */
  drain(): void {
    this.#mostWaitMs = DRAINING_WAIT_MS;
    for (const waiting of this.#polls.all()) waiting.finish([]);
  }

  /** Answers everyone who waits with an empty list, and everyone who comes later at once. */
  close(): void {
    this.#closed = true;
    for (const waiting of this.#polls.all()) waiting.finish([]);
    this.#ticks.abandon();
    this.#rounds.stop();
  }

  async #round(isTick: boolean): Promise<void> {
    if (isTick) await this.#ticks.tick();
    await this.#due.look();
    this.#failing = false;
  }

  #noteRaised({ raised, unbroken }: Tick): void {
    for (const { id, lastSequence } of raised) {
      for (const waiting of this.#polls.ofHost(id)) {
        if (lastSequence > (waiting.knowledge?.upTo ?? 0)) this.#due.add(waiting, lastSequence);
      }
    }
    if (unbroken) return;
    for (const waiting of this.#polls.all()) this.#due.add(waiting, waiting.knowledge?.upTo ?? waiting.poll.after);
  }

  #forget(over: WaitingPoll, commands: IssuedHostCommand[] | null): void {
    // Woken again while the answer was on its way: the next poll has to look.
    if (this.#due.delete(over)) this.#knowledge.noteWoken(over.poll.host.name);
    this.#polls.delete(over);
    this.#rounds.relax();
    if (commands) this.#knowledge.remember(over, commands, this.#ticks.newestAt);
  }

  /** Those of the failed look, and whoever came meanwhile, who would otherwise wait for a failure of its own. */
  #failFirstLooks(error: unknown): void {
    if (!this.#failing) this.#logger.warn({ err: error }, 'host commands cannot be read; hosts keep waiting');
    this.#failing = true;
    for (const waiting of this.#polls.all()) if (waiting.knowledge === null) waiting.fail(error);
  }
}
