import type { WaitingPoll } from './waiting-poll.ts';

/**
 * The polls that wait, by their host: admissions know hosts by name, ticks by id, and neither goes through the polls of
 * other hosts.
 */
export class WaitingPolls {
  readonly #mostPerHost: number;
  readonly #byName = new Map<string, Set<WaitingPoll>>();
  readonly #names = new Map<number, string>();

  /** `mostPerHost` polls of one host may wait at a time; a further one ends the oldest. */
  constructor(mostPerHost: number) {
    this.#mostPerHost = mostPerHost;
  }

  add(waiting: WaitingPoll): void {
    const { id, name } = waiting.poll.host;
    const [oldest] = this.ofHostNamed(name);
    if (oldest && this.ofHostNamed(name).size >= this.#mostPerHost) oldest.finish([]);
    const polls = this.#byName.get(name) ?? new Set();
    this.#byName.set(name, polls.add(waiting));
    this.#names.set(id, name);
  }

  delete(waiting: WaitingPoll): void {
    const { id, name } = waiting.poll.host;
    const polls = this.#byName.get(name);
    polls?.delete(waiting);
    if (polls?.size !== 0) return;
    this.#byName.delete(name);
    this.#names.delete(id);
  }

  ofHostNamed(name: string): ReadonlySet<WaitingPoll> {
    return this.#byName.get(name) ?? NONE;
  }

  ofHost(id: number): ReadonlySet<WaitingPoll> {
    const name = this.#names.get(id);
    return name === undefined ? NONE : this.ofHostNamed(name);
  }

  /** Every poll that waits now; those that end meanwhile stay in the list. */
  all(): WaitingPoll[] {
    return [...this.#byName.values()].flatMap((polls) => [...polls]);
  }

  get isEmpty(): boolean {
    return this.#byName.size === 0;
  }
}

const NONE: ReadonlySet<WaitingPoll> = new Set();
