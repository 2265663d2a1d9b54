import { LRUCache } from 'lru-cache';
import type { IssuedHostCommand } from '../../domain/host-protocol.ts';
import type { CommandPoll, Knowledge, WaitingPoll } from './waiting-poll.ts';

const MOST_HOSTS = 100_000;

/**
 * What is known of hosts between two of their polls, so that the polls of idle hosts cost no query: how far they have
 * seen everything, and which of them were given a command meanwhile.
 */
export class HostKnowledge {
  readonly #keptMs: number;
  readonly #known: LRUCache<number, Knowledge>;
  /** Hosts that were woken while they were between two polls, and when; the oldest first. */
  readonly #woken = new Map<string, number>();

  /** Nothing is known of a host any more once it is `keptMs` milliseconds old. */
  constructor(keptMs: number) {
    this.#keptMs = keptMs;
    this.#known = new LRUCache({ max: MOST_HOSTS, ttl: keptMs });
  }

  /** What a host's next poll need not read; null when it has to look. */
  recall({ host, after }: CommandPoll): Knowledge | null {
    const knowledge = this.#known.get(host.id);
    if (this.#woken.delete(host.name) || !knowledge || after < knowledge.after) return null;
    if (performance.now() - knowledge.at > this.#keptMs) return null;
    return { after, upTo: Math.max(after, knowledge.upTo), at: knowledge.at };
  }

  /** Keeps what is known of a host whose poll is being answered; the newest tick began at `tickedAt`. */
  remember({ poll, arrivedAt, knowledge }: WaitingPoll, commands: IssuedHostCommand[], tickedAt: number): void {
    const { id } = poll.host;
    const last = commands.at(-1);
    // Only a tick that this poll took part in says anything about its host.
    const heardAt = tickedAt > arrivedAt ? tickedAt : 0;
    if (!knowledge || commands.length === poll.limit) this.#known.delete(id);
    else if (last) this.#known.set(id, { after: last.sequence, upTo: last.sequence, at: knowledge.at });
    else this.#known.set(id, { ...knowledge, at: Math.max(knowledge.at, heardAt) });
  }

  /** Has the next poll of this host look; those whose next poll another process has long answered are forgotten. */
  noteWoken(name: string): void {
    const now = performance.now();
    this.#woken.delete(name);
    this.#woken.set(name, now);
    for (const [oldest, at] of this.#woken) {
      if (now - at <= this.#keptMs) return;
      this.#woken.delete(oldest);
    }
  }
}
