import { LRUCache } from 'lru-cache';
import type { Database } from '../../db/database.ts';
import { readDesiredState } from '../../db/desired-state.ts';
import type { DesiredState } from '../../domain/host-protocol.ts';
import type { WaitingHosts } from './waiting-hosts.ts';

/** How long a state is cached at most: if anyone repairs rows by hand, agents see it after this time. */
const KEPT_MS = 600_000;
/** How many hosts and addresses are kept in all. */
const MOST_KEPT = 200_000;
/** A read that took longer is not kept: the ticks may have forgotten what was raised while it ran. */
const LONGEST_READ_MS = 2_000;

/**
 * The desired states of hosts, without a query of its own for a host that was given nothing since it last asked. Whoever
 * changes what a host is to announce raises its sequence in the same transaction, so a state stands as long as the
 * sequence does. A kept one is answered only after a tick that began after the request has not seen the sequence raised:
 * the answer is what a read at that time would be.
 */
export class DesiredStates {
  readonly #db: Database;
  readonly #waitingHosts: WaitingHosts;
  readonly #kept = new LRUCache<number, DesiredState>({
    ttl: KEPT_MS,
    maxSize: MOST_KEPT,
    sizeCalculation: ({ attachments }) => 1 + attachments.length,
  });

  constructor({ db, waitingHosts }: { db: Database; waitingHosts: WaitingHosts }) {
    this.#db = db;
    this.#waitingHosts = waitingHosts;
    waitingHosts.onTick(({ raised, unbroken }) => {
      if (!unbroken) this.#kept.clear();
      for (const { id, lastSequence } of raised) {
        if (this.#kept.peek(id)?.sequence !== lastSequence) this.#kept.delete(id);
      }
    });
  }

  /** Everything that this host is to announce. */
  async read(host: { id: number; name: string }): Promise<DesiredState> {
    if (this.#kept.has(host.id) && (await this.#waitingHosts.nextTick())) {
      const kept = this.#kept.get(host.id);
      if (kept) return kept;
    }
    const startedAt = performance.now();
    const state = await readDesiredState(this.#db, host);
    if (performance.now() - startedAt < LONGEST_READ_MS) this.#kept.set(host.id, state);
    return state;
  }
}
