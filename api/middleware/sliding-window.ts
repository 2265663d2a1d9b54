/**
 * Counts events over a window that slides, from two numbers: those of this fixed window, and those of the one before
 * in the part that the sliding window still covers, taken as evenly spread.
 */
export class SlidingWindow {
  readonly #seconds: number;
  #index = 0;
  #previous = 0;
  #current = 0;

  constructor(seconds: number) {
    this.#seconds = seconds;
  }

  /** Counts one event. Times are in seconds and do not run backwards. */
  add(at: number): void {
    this.#advance(at);
    this.#current++;
  }

  /** Events in the window that ends now, rounded up. */
  used(at: number): number {
    this.#advance(at);
    return Math.ceil(this.#previous * (1 - this.#elapsed(at)) + this.#current);
  }

  /** Seconds until another event fits under the limit; 0 when it fits now. */
  wait(at: number, limit: number): number {
    if (this.used(at) + 1 <= limit) return 0;
    const remainder = this.end(at) - at;
    if (this.#current + 1 <= limit) {
      const fits = 1 - (limit - 1 - this.#current) / this.#previous;
      return Math.max(1, (fits - this.#elapsed(at)) * this.#seconds);
    }
    const fits = limit < 1 ? 1 : 1 - (limit - 1) / this.#current;
    return Math.max(1, remainder + fits * this.#seconds);
  }

  /** When this fixed window ends. */
  end(at: number): number {
    this.#advance(at);
    return (this.#index + 1) * this.#seconds;
  }

  #elapsed(at: number): number {
    return Math.max(0, at / this.#seconds - this.#index);
  }

  #advance(at: number): void {
    const index = Math.floor(at / this.#seconds);
    if (index <= this.#index) return;
    this.#previous = index === this.#index + 1 ? this.#current : 0;
    this.#current = 0;
    this.#index = index;
  }
}
