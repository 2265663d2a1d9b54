/** A party has so many requests waiting that no further one is taken. */
export class TooManyWaitingError extends Error {
  readonly party: string;

  constructor(party: string) {
    super(`too many requests of ${party} are waiting`);
    this.name = 'TooManyWaitingError';
    this.party = party;
  }
}

/** Options of {@link FairGate}. */
export interface FairGateOptions {
  /** Most work in progress at a time. */
  atOnce: number;
  /** Most of it of one party. */
  eachAtOnce: number;
  /** Most work of one party that waits for its turn. */
  eachWaiting: number;
}

interface Party {
  running: number;
  waiting: (() => void)[];
}

/**
 * Lets so much work in at a time. What is beyond waits, and the parties that wait take turns: one that asks for much
 * waits behind itself, not in front of the others.
 */
export class FairGate {
  readonly #options: FairGateOptions;
  /** Who has work running or waiting. */
  readonly #parties = new Map<string, Party>();
  /** Who has work waiting and may have more running, in the order of their turns. */
  readonly #turns = new Set<string>();
  #running = 0;

  constructor(options: FairGateOptions) {
    this.#options = options;
  }

  /** Runs `work` when it is the party's turn. Throws {@link TooManyWaitingError} at once when too much of it waits. */
  async run<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
    await this.#enter(name);
    try {
      return await work();
    } finally {
      this.#leave(name);
    }
  }

  /** How much work is in progress. */
  get running(): number {
    return this.#running;
  }

  #enter(name: string): Promise<void> | void {
    const { atOnce, eachAtOnce, eachWaiting } = this.#options;
    const party = this.#parties.get(name) ?? { running: 0, waiting: [] };
    if (this.#running < atOnce && party.running < eachAtOnce && party.waiting.length === 0) {
      this.#parties.set(name, party);
      return this.#start(party);
    }
    if (party.waiting.length >= eachWaiting) throw new TooManyWaitingError(name);
    this.#parties.set(name, party);
    if (party.running < eachAtOnce) this.#turns.add(name);
    const { promise, resolve } = Promise.withResolvers<void>();
    party.waiting.push(resolve);
    return promise;
  }

  #start(party: Party): void {
    party.running++;
    this.#running++;
  }

  #leave(name: string): void {
    const party = this.#parties.get(name);
    if (!party) return;
    party.running--;
    this.#running--;
    if (party.waiting.length > 0) this.#turns.add(name);
    else if (party.running === 0) this.#parties.delete(name);
    this.#startNext();
  }

  #startNext(): void {
    const [name] = this.#turns;
    const party = name === undefined ? undefined : this.#parties.get(name);
    if (name === undefined || !party) return;
    // To the end of the line when it has more waiting.
    this.#turns.delete(name);
    const begin = party.waiting.shift();
    if (!begin) return;
    this.#start(party);
    if (party.waiting.length > 0 && party.running < this.#options.eachAtOnce) this.#turns.add(name);
    begin();
  }
}
