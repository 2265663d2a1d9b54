import type { Address } from '../domain/address.ts';

/** Runs changes of different addresses side by side, up to a bound, and those of one address in their order. */
export class AddressQueue {
  readonly #concurrency: number;
  readonly #tails = new Map<Address, Promise<void>>();
  readonly #waiting: (() => void)[] = [];
  readonly #onSettled = new Set<() => void>();
  #active = 0;
  #pending = 0;

  constructor(concurrency: number) {
    this.#concurrency = concurrency;
  }

  /** Changes that are not done. */
  get pending(): number {
    return this.#pending;
  }

  /** Adds a change. The task must not throw. */
  enqueue(address: Address, task: () => Promise<void>): void {
    this.#pending++;
    const before = this.#tails.get(address);
    const tail = (before ?? Promise.resolve()).then(() => this.#run(task));
    this.#tails.set(address, tail);
    void tail.finally(() => {
      if (this.#tails.get(address) === tail) this.#tails.delete(address);
      this.#pending--;
      for (const settled of this.#onSettled) settled();
    });
  }

  /** Waits until at most so many changes are left, or until the signal is aborted. */
  async atMost(pending: number, signal: AbortSignal): Promise<void> {
    if (this.#pending <= pending || signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const settled = () => {
      if (this.#pending <= pending) resolve();
    };
    this.#onSettled.add(settled);
    const give = () => resolve();
    signal.addEventListener('abort', give, { once: true });
    await promise;
    signal.removeEventListener('abort', give);
    this.#onSettled.delete(settled);
  }

  async #run(task: () => Promise<void>): Promise<void> {
    if (this.#active < this.#concurrency) this.#active++;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      await task();
    } finally {
      const next = this.#waiting.shift();
      // The place goes from one to the next, so that nobody can take it in between.
      if (next) next();
      else this.#active--;
    }
  }
}
