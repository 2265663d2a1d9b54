import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import type { Database } from '../../db/database.ts';
import { listOpenCommands, listRaisedHosts, type RaisedHost } from '../../db/host-commands.ts';
import type { IssuedHostCommand } from '../../domain/host-protocol.ts';

/**
 * How far back a tick looks for raised sequences. A sequence is stamped by the statement that raises it and seen when
 * its transaction commits, so this must exceed the longest transaction; lock waits end after 5 s.
 */
const LOOKBACK_SECONDS = 10;
/** How long it stays known that a host has seen everything; the rest of the lookback is left to the transactions. */
const KNOWLEDGE_MS = 4_000;
const PAUSE_AFTER_ERROR_MS = 250;
/** Hosts that know of no other process would otherwise ask again at once, over and over. */
const DRAINING_WAIT_MS = 100;
const MOST_HOSTS = 100_000;

/** Options of {@link WaitingHosts}. */
export interface WaitingHostsOptions {
  db: Database;
  logger: Logger;
  /** Pause between two ticks, in milliseconds; default 40. */
  tickMs?: number;
  /** Polls of one host that may wait at a time; a further one ends the oldest. Default 4. */
  mostPerHost?: number;
}

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

/** What one tick has found. */
export interface Tick {
  /** The hosts that were given commands lately. */
  raised: RaisedHost[];
  /** The tick before is so recent that the two together have missed no host. */
  unbroken: boolean;
}

/** A host has nothing open after one sequence and up to another, as of a time. */
interface Knowledge {
  after: number;
  upTo: number;
  at: number;
}

interface Waiter {
  poll: CommandPoll;
  arrivedAt: number;
  /** Null before its first look. */
  knowledge: Knowledge | null;
  finish(commands: IssuedHostCommand[]): void;
  fail(error: unknown): void;
}

/**
 * All hosts that wait in this process for a command. One query a tick asks which hosts were given commands lately: a range
 * of the index on `hosts.signalled_at`, so it costs the same for ten idle hosts and for ten thousand. Only what it finds
 * is read, by one further query. A command admitted in this process wakes its host at once, without waiting for the tick.
 * Whoever else needs to know which hosts were given something goes by the same ticks.
 */
export class WaitingHosts {
  readonly #db: Database;
  readonly #logger: Logger;
  readonly #tickMs: number;
  readonly #mostPerHost: number;
  readonly #waiters = new Map<number, Set<Waiter>>();
  /** The ids of the hosts that wait, by name. */
  readonly #waitingIds = new Map<string, number>();
  /** Waiters whose commands have to be read, and the sequence that their host is known to have reached. */
  readonly #due = new Map<Waiter, number>();
  /** What is known of hosts between two polls, so that the polls of idle hosts cost no query. */
  readonly #knowledge = new LRUCache<number, Knowledge>({ max: MOST_HOSTS, ttl: KNOWLEDGE_MS });
  /** Hosts that were woken while they were between two polls, and when; the oldest first. */
  readonly #woken = new Map<string, number>();
  readonly #listeners: ((tick: Tick) => void)[] = [];
  /** Who waits for a tick that is still to begin. */
  #nextTick: PromiseWithResolvers<boolean> | null = null;
  #timer: NodeJS.Timeout | undefined;
  #tickIsDue = false;
  #running = false;
  #runAgain = false;
  #failing = false;
  #closed = false;
  /** The longest that a poll may wait, in milliseconds. */
  #mostWaitMs = Number.POSITIVE_INFINITY;
  /** When the newest successful tick began. */
  #tickedAt = Number.NEGATIVE_INFINITY;

  constructor({ db, logger, tickMs = 40, mostPerHost = 4 }: WaitingHostsOptions) {
    this.#db = db;
    this.#logger = logger;
    this.#tickMs = tickMs;
    this.#mostPerHost = mostPerHost;
  }

  /**
   * Answers a host's unacknowledged commands after a sequence, in order, as soon as there is one; an empty list when the
   * wait is over, the host hung up or the process is closing. Throws when the database does not answer the first look.
   */
  wait(poll: CommandPoll): Promise<IssuedHostCommand[]> {
    if (this.#closed || poll.signal.aborted) return Promise.resolve([]);
    const { signal } = poll;
    const knowledge = poll.waitMs > 0 ? this.#recall(poll) : null;
    const { promise, resolve, reject } = Promise.withResolvers<IssuedHostCommand[]>();
    const giveUp = () => waiter.finish([]);
    // A poll that does not wait is answered by its first look.
    const timer = poll.waitMs === 0 ? undefined : setTimeout(giveUp, Math.min(poll.waitMs, this.#mostWaitMs));
    signal.addEventListener('abort', giveUp, { once: true });
    const leave = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', giveUp);
      this.#remove(waiter);
    };
    const waiter: Waiter = {
      poll,
      arrivedAt: performance.now(),
      knowledge,
      finish: (commands) => {
        leave();
        this.#remember(waiter, commands);
        resolve(commands);
      },
      fail: (error) => {
        leave();
        reject(error);
      },
    };
    this.#add(waiter);
    if (knowledge) {
      this.#schedule(this.#tickMs);
    } else {
      this.#due.set(waiter, poll.after);
      void this.#run();
    }
    return promise;
  }

  /** Says that these hosts, by name, have just been given commands; call it after the commit. */
  wake(hostNames: Iterable<string>): void {
    for (const name of hostNames) {
      const waiters = this.#waiters.get(this.#waitingIds.get(name) ?? 0);
      if (!waiters) this.#noteWoken(name);
      for (const waiter of waiters ?? []) this.#due.set(waiter, waiter.poll.after);
    }
    if (this.#due.size > 0) void this.#run();
  }

  /** Has the listener hear what each tick has found, before anyone who waits for the tick. */
  onTick(listener: (tick: Tick) => void): void {
    this.#listeners.push(listener);
  }

  /** Waits for a tick that begins after this call; false when it failed or the process is closing. */
  nextTick(): Promise<boolean> {
    if (this.#closed) return Promise.resolve(false);
    this.#nextTick ??= Promise.withResolvers<boolean>();
    const { promise } = this.#nextTick;
    this.#schedule(this.#tickMs);
    return promise;
  }

  /** Answers everyone who waits, so that they go on with another process; who comes later does not wait for long. */
  drain(): void {
    this.#mostWaitMs = DRAINING_WAIT_MS;
    for (const waiter of this.#all()) waiter.finish([]);
  }

  /** Answers everyone who waits with an empty list, and everyone who comes later at once. */
  close(): void {
    this.#closed = true;
    for (const waiter of this.#all()) waiter.finish([]);
    this.#nextTick?.resolve(false);
  }

  /** How many polls are waiting. */
  get size(): number {
    return this.#all().length;
  }

  #all(): Waiter[] {
    return [...this.#waiters.values()].flatMap((waiters) => [...waiters]);
  }

  #add(waiter: Waiter): void {
    const { id, name } = waiter.poll.host;
    const waiters = this.#waiters.get(id) ?? new Set();
    const [oldest] = waiters;
    if (oldest && waiters.size >= this.#mostPerHost) oldest.finish([]);
    this.#waiters.set(id, waiters.add(waiter));
    this.#waitingIds.set(name, id);
  }

  #remove(waiter: Waiter): void {
    const { id, name } = waiter.poll.host;
    // Woken again while the answer was on its way: the next poll has to look.
    if (this.#due.delete(waiter)) this.#noteWoken(name);
    const waiters = this.#waiters.get(id);
    waiters?.delete(waiter);
    if (waiters?.size === 0) {
      this.#waiters.delete(id);
      this.#waitingIds.delete(name);
    }
    if (this.#isNeeded()) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Forgets those whose next poll has long been answered by another process. */
  #noteWoken(name: string): void {
    const now = performance.now();
    this.#woken.delete(name);
    this.#woken.set(name, now);
    for (const [oldest, at] of this.#woken) {
      if (now - at <= KNOWLEDGE_MS) return;
      this.#woken.delete(oldest);
    }
  }

  #recall({ host, after }: CommandPoll): Knowledge | null {
    const knowledge = this.#knowledge.get(host.id);
    if (this.#woken.delete(host.name) || !knowledge || after < knowledge.after) return null;
    if (performance.now() - knowledge.at > KNOWLEDGE_MS) return null;
    return { after, upTo: Math.max(after, knowledge.upTo), at: knowledge.at };
  }

  #remember({ poll, arrivedAt, knowledge }: Waiter, commands: IssuedHostCommand[]): void {
    const last = commands.at(-1);
    // Only a tick that this waiter took part in says anything about its host.
    const tickedAt = this.#tickedAt > arrivedAt ? this.#tickedAt : 0;
    if (!knowledge || commands.length === poll.limit) this.#knowledge.delete(poll.host.id);
    else if (last) this.#knowledge.set(poll.host.id, { after: last.sequence, upTo: last.sequence, at: knowledge.at });
    else this.#knowledge.set(poll.host.id, { ...knowledge, at: Math.max(knowledge.at, tickedAt) });
  }

  #isNeeded(): boolean {
    return this.#waiters.size > 0 || this.#nextTick !== null;
  }

  #schedule(milliseconds: number): void {
    if (this.#timer !== undefined || this.#closed || !this.#isNeeded()) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#tickIsDue = true;
      void this.#run();
    }, milliseconds);
  }

  /** Runs one round after the other, never two at once; what comes up meanwhile goes into the next. */
  async #run(): Promise<void> {
    this.#runAgain = true;
    if (this.#running) return;
    this.#running = true;
    let pauseMs = this.#tickMs;
    while (this.#runAgain) {
      this.#runAgain = false;
      try {
        if (this.#tickIsDue) await this.#tick();
        await this.#look();
        this.#failing = false;
      } catch (error) {
        this.#complain(error);
        // Those of the failed look, and whoever came meanwhile, who would otherwise wait for a failure of its own.
        for (const waiter of this.#all()) if (waiter.knowledge === null) waiter.fail(error);
        pauseMs = PAUSE_AFTER_ERROR_MS;
      }
    }
    this.#running = false;
    this.#schedule(pauseMs);
  }

  async #tick(): Promise<void> {
    this.#tickIsDue = false;
    const awaited = this.#nextTick;
    this.#nextTick = null;
    try {
      await this.#findRaised();
      awaited?.resolve(true);
    } catch (error) {
      awaited?.resolve(false);
      throw error;
    }
  }

  /** Finds the waiting hosts that were given commands. */
  async #findRaised(): Promise<void> {
    const startedAt = performance.now();
    const raised = await listRaisedHosts(this.#db, LOOKBACK_SECONDS);
    // After a long break the lookback does not reach back to the last tick.
    const unbroken = startedAt - this.#tickedAt <= KNOWLEDGE_MS;
    for (const host of raised) {
      for (const waiter of this.#waiters.get(host.id) ?? []) {
        if (host.lastSequence > (waiter.knowledge?.upTo ?? 0)) this.#due.set(waiter, host.lastSequence);
      }
    }
    if (!unbroken) {
      for (const waiter of this.#all()) this.#due.set(waiter, waiter.knowledge?.upTo ?? waiter.poll.after);
    }
    this.#tickedAt = startedAt;
    for (const listener of this.#listeners) listener({ raised, unbroken });
  }

  /** Reads the commands of the waiters that are due. */
  async #look(): Promise<void> {
    const due = new Map(this.#due);
    if (due.size === 0) return;
    this.#due.clear();
    const at = performance.now();
    const answers = await this.#read(due);
    for (const [index, [waiter, upTo]] of [...due].entries()) {
      if (!this.#isWaiting(waiter)) continue;
      const { after, waitMs } = waiter.poll;
      waiter.knowledge = { after, upTo: Math.max(after, upTo, waiter.knowledge?.upTo ?? 0), at };
      const commands = answers[index] ?? [];
      if (commands.length > 0 || waitMs === 0) waiter.finish(commands);
    }
  }

  async #read(due: Map<Waiter, number>): Promise<IssuedHostCommand[][]> {
    const requests = [...due.keys()].map(({ poll }) => ({
      hostId: poll.host.id,
      after: poll.after,
      limit: poll.limit,
    }));
    try {
      return await listOpenCommands(this.#db, requests);
    } catch (error) {
      for (const [waiter, upTo] of due) {
        if (waiter.knowledge !== null && this.#isWaiting(waiter)) this.#due.set(waiter, upTo);
      }
      throw error;
    }
  }

  #isWaiting(waiter: Waiter): boolean {
    return this.#waiters.get(waiter.poll.host.id)?.has(waiter) ?? false;
  }

  #complain(error: unknown): void {
    if (!this.#failing)
      this.#logger.warn({ err: error }, 'host commands cannot be read; waiting hosts are kept waiting');
    this.#failing = true;
  }
}
