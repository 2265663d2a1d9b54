/** Commands between their arrival and the end of their acknowledgment, by their sequences. */
export class CommandsInHand {
  readonly #sequences = new Set<number>();
  readonly #onEnded = new Set<() => void>();

  get size(): number {
    return this.#sequences.size;
  }

  has(sequence: number): boolean {
    return this.#sequences.has(sequence);
  }

  add(sequence: number): void {
    this.#sequences.add(sequence);
  }

  /** The command is acknowledged, or never will be. */
  end(sequence: number): void {
    this.#sequences.delete(sequence);
    for (const ended of this.#onEnded) ended();
  }

  /** Waits until there are at most so many, or until the signal is aborted. */
  async atMost(count: number, signal: AbortSignal): Promise<void> {
    if (this.#sequences.size <= count || signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const ended = () => {
      if (this.#sequences.size <= count) resolve();
    };
    const give = () => resolve();
    this.#onEnded.add(ended);
    signal.addEventListener('abort', give, { once: true });
    await promise;
    signal.removeEventListener('abort', give);
    this.#onEnded.delete(ended);
  }
}
