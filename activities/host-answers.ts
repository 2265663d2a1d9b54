import { LRUCache } from 'lru-cache';
import type { Database } from '../db/database.ts';
import { type HostAnswer, listHostAnswers } from '../db/operations/acknowledgment.ts';
import type { Admitted, HostCommand } from '../domain/decision.ts';
import type { OperationId } from '../domain/identifiers.ts';

/** What an operation's hosts have answered: all as they were told, one of them otherwise, or not all in time. */
export type HostsAnswer = 'done' | 'failed' | 'late';

/** Options of {@link HostAnswers}. */
export interface HostAnswersOptions {
  db: Database;
  /** Pause between two looks into the database, in milliseconds; default 30. */
  lookMs?: number;
}

/** An answer that came before somebody waited for it is kept for so long, in milliseconds. */
const KEPT_MS = 2_000;
const MOST_KEPT = 10_000;

interface Waiter {
  /** Commands that are still waited for. */
  missing: Map<string, HostCommand>;
  finish(answer: HostsAnswer): void;
}

/**
 * Where operations wait for their hosts for a moment. What this process is told, by its own API, wakes them at once; what
 * another process has recorded is found by one query at every look, for all who wait.
 */
export class HostAnswers {
  readonly #db: Database;
  readonly #lookMs: number;
  readonly #waiters = new Map<OperationId, Waiter>();
  readonly #early = new LRUCache<OperationId, HostAnswer[]>({ max: MOST_KEPT, ttl: KEPT_MS, ttlAutopurge: false });
  #looking = false;
  #timer: NodeJS.Timeout | undefined;

  constructor({ db, lookMs = 30 }: HostAnswersOptions) {
    this.#db = db;
    this.#lookMs = lookMs;
  }

  /** Waits until all hosts that an operation told something have answered, one has failed, or `waitMs` have passed. */
  wait(admitted: Admitted, waitMs: number): Promise<HostsAnswer> {
    const { operationId, hostCommands } = admitted;
    const missing = new Map(hostCommands.map((command) => [keyOf(command), command]));
    if (missing.size === 0) return Promise.resolve('done');
    const { promise, resolve } = Promise.withResolvers<HostsAnswer>();
    const timer = setTimeout(() => finish('late'), waitMs);
    const finish = (answer: HostsAnswer) => {
      clearTimeout(timer);
      if (this.#waiters.get(operationId) === waiter) this.#waiters.delete(operationId);
      resolve(answer);
    };
    const waiter: Waiter = { missing, finish };
    this.#waiters.get(operationId)?.finish('late');
    this.#waiters.set(operationId, waiter);
    for (const answer of this.#early.get(operationId) ?? []) this.#take(answer);
    this.#early.delete(operationId);
    this.#schedule();
    return promise;
  }

  /** Tells what a host has answered, as it was recorded; whether its operation was waiting for it here. */
  record(answer: HostAnswer): boolean {
    if (this.#take(answer)) return true;
    const early = this.#early.get(answer.operationId) ?? [];
    this.#early.set(answer.operationId, [...early, answer]);
    return false;
  }

  /** Answers whether somebody waits for it. */
  #take(answer: HostAnswer): boolean {
    const { operationId, change, generation, outcome } = answer;
    const waiter = this.#waiters.get(operationId);
    if (!waiter) return false;
    const key = keyOf(answer);
    // An answer from before an undo says nothing about now.
    if (waiter.missing.get(key)?.generation !== generation) return true;
    if (outcome === 'applied' || (outcome === 'superseded' && change === 'detach')) {
      waiter.missing.delete(key);
      if (waiter.missing.size === 0) waiter.finish('done');
    } else {
      waiter.finish('failed');
    }
    return true;
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#looking || this.#waiters.size === 0) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#look();
    }, this.#lookMs);
  }

  async #look(): Promise<void> {
    if (this.#waiters.size === 0) return;
    this.#looking = true;
    try {
      for (const answer of await listHostAnswers(this.#db, [...this.#waiters.keys()])) this.#take(answer);
    } catch {
      // Whoever waits is told "late" in time, and then waits where the database's failure is shown.
    }
    this.#looking = false;
    this.#schedule();
  }
}

function keyOf({ change, host, address }: Pick<HostCommand, 'change' | 'host' | 'address'>): string {
  return `${change}/${host}/${address}`;
}
