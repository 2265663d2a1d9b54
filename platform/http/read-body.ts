/** How much of a body is kept, and how much of one that is too large is read. */
export interface BodyLimits {
  /** Most bytes of a request's body; default 65536. */
  maxBytes?: number;
  /** Most bytes that are read of a body that is too large; default 16 MiB. */
  mostReadBytes?: number;
  /** Most time that is spent on reading a body that is known to be too large, in milliseconds; default 2000. */
  mostReadMs?: number;
}

/** The most bytes of a body that the v2 API takes. */
export const LARGEST_BODY = 65_536;

/** A body that was read to its end, unless it was cut off. */
export interface ReadBody {
  /** The whole body; null when it is larger than what is taken. */
  kept: Buffer | null;
  /** False when the rest of the body is still to come, so the connection cannot be used again. */
  whole: boolean;
}

/**
 * Reads a body. One that is too large is read to its end and thrown away, because a client that still sends when its
 * connection is closed does not see the answer; beyond all measure it is cut off. `declared` is its Content-Length, if
 * there is one.
 */
export async function readBody(
  source: AsyncIterator<Uint8Array>,
  declared: number | null,
  { maxBytes = LARGEST_BODY, mostReadBytes = 16_777_216, mostReadMs = 2_000 }: BodyLimits = {},
): Promise<ReadBody> {
  const kept: Uint8Array[] = [];
  const timer = new Timer(mostReadMs);
  let size = 0;
  try {
    if (declared !== null && declared > maxBytes) timer.start();
    for (;;) {
      const next = await Promise.race([source.next(), timer.elapsed]);
      if (next === 'elapsed') return { kept: null, whole: false };
      if (next.done) return { kept: size > maxBytes ? null : Buffer.concat(kept), whole: true };
      size += next.value.length;
      if (size > mostReadBytes) return { kept: null, whole: false };
      if (size <= maxBytes) kept.push(next.value);
      else timer.start();
    }
  } finally {
    timer.stop();
  }
}

/** Begins to count at its first start. */
class Timer {
  readonly elapsed: Promise<'elapsed'>;
  readonly #milliseconds: number;
  #resolve: () => void = () => {};
  #timeout: NodeJS.Timeout | undefined;

  constructor(milliseconds: number) {
    this.#milliseconds = milliseconds;
    this.elapsed = new Promise((resolve) => {
      this.#resolve = () => resolve('elapsed');
    });
  }

  start(): void {
    this.#timeout ??= setTimeout(this.#resolve, this.#milliseconds);
  }

  stop(): void {
    clearTimeout(this.#timeout);
  }
}
