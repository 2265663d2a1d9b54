import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import type { CodePath } from '../code-paths.ts';
import type { EdgeMetrics } from '../metrics.ts';
import type { Upstream, UpstreamAnswer, UpstreamName, UpstreamRequest } from '../upstream/upstream.ts';
import { collect, decode, TooLargeError } from './collect.ts';
import { type ComparedAnswer, compareAnswers, type Difference } from './compare.ts';

/** Options of {@link Shadow}. */
export interface ShadowOptions {
  upstreams: Record<UpstreamName, Upstream>;
  logger: Logger;
  metrics: EdgeMetrics;
  /** Reads that are compared, in percent. */
  percent: number;
  /** Fields whose differences do not count, see {@link compareAnswers}. */
  ignored: string[];
  /** Most comparisons at a time; a read above them is not compared. Default 16. */
  atOnce?: number;
  /** Most bytes of an answer that is compared; default 262,144. */
  maxBytes?: number;
  /** Most pairs that are kept, the newest; default 200. */
  keep?: number;
  /** Most characters of all pairs that are kept; default 1,048,576. */
  keepSize?: number;
}

/** A pair of answers that differed. */
export interface KeptDifference {
  at: string;
  requestId: string;
  codePath: CodePath;
  path: string;
  primary: UpstreamName;
  differences: Difference[];
}

/** Longest text of one differing value that is kept. */
const LONGEST_VALUE = 1_000;

/** A read whose answer is on its way to the client. */
export interface ShadowedRead {
  codePath: CodePath;
  upstream: UpstreamName;
  requestId: string;
  request: UpstreamRequest;
  answer: UpstreamAnswer;
}

/**
 * Asks the other upstream what a read has just been answered by the first, and keeps how they differ. It takes copies of
 * what goes by: the client's answer neither waits for it nor sees it fail. Nothing is written to a disk, since answers
 * are customers' data.
 */
export class Shadow {
  readonly #options: Required<ShadowOptions>;
  readonly #kept: LRUCache<string, KeptDifference>;
  #running = 0;
  #number = 0;

  constructor({ atOnce = 16, maxBytes = 262_144, keep = 200, keepSize = 1_048_576, ...options }: ShadowOptions) {
    this.#options = { ...options, atOnce, maxBytes, keep, keepSize };
    this.#kept = new LRUCache({
      max: keep,
      maxSize: keepSize,
      sizeCalculation: (difference) => JSON.stringify(difference).length,
    });
  }

  /** What differed, newest first. */
  get differences(): KeptDifference[] {
    return [...this.#kept.values()];
  }

  /** Compares the read, or not, as its share says. Never throws. Call it in the turn in which the answer's body begins to flow. */
  consider(read: ShadowedRead): void {
    if (Math.random() * 100 >= this.#options.percent) return;
    if (this.#running >= this.#options.atOnce) {
      this.#count(read, 'busy');
      return;
    }
    this.#running++;
    void this.#compare(read)
      .catch((error: unknown) => this.#notCompared(read, error))
      .finally(() => {
        this.#running--;
      });
  }

  async #compare(read: ShadowedRead): Promise<void> {
    const [primary, shadow] = await Promise.all([this.#textOf(read.answer), this.#askOther(read)]);
    const differences = compareAnswers(primary, shadow, this.#options.ignored);
    this.#count(read, differences.length === 0 ? 'equal' : 'different');
    if (differences.length > 0) this.#keep(read, differences);
  }

  async #askOther({ upstream, request }: ShadowedRead): Promise<ComparedAnswer> {
    const other = this.#options.upstreams[upstream === 'legacy' ? 'new' : 'legacy'];
    // The client's leaving is no reason to stop here.
    const signal = new AbortController().signal;
    const answer = await other.send({ ...request, body: null, signal, headers: shadowHeaders(request.headers) });
    try {
      return await this.#textOf(answer);
    } catch (error) {
      answer.body.destroy();
      throw error;
    }
  }

  async #textOf({ status, headers, body }: UpstreamAnswer): Promise<ComparedAnswer> {
    const { maxBytes } = this.#options;
    return { status, body: decode(await collect(body, maxBytes), headers['content-encoding'], maxBytes) };
  }

  #keep({ codePath, upstream, requestId, request }: ShadowedRead, differences: Difference[]): void {
    const { logger } = this.#options;
    const fields = differences.map(({ field }) => field);
    logger.warn({ requestId, codePath, primary: upstream, fields }, 'the upstreams answer differently');
    this.#kept.set(String(this.#number++), {
      at: new Date().toISOString(),
      requestId,
      codePath,
      path: request.target,
      primary: upstream,
      differences: differences.map(({ field, primary, shadow }) => ({
        field,
        primary: shortened(primary),
        shadow: shortened(shadow),
      })),
    });
  }

  #notCompared(read: ShadowedRead, error: unknown): void {
    this.#count(read, error instanceof TooLargeError ? 'too_large' : 'failed');
    const { requestId, codePath } = read;
    this.#options.logger.warn({ requestId, codePath, err: error }, 'a read could not be compared');
  }

  #count({ codePath }: ShadowedRead, outcome: 'equal' | 'different' | 'busy' | 'too_large' | 'failed'): void {
    this.#options.metrics.shadows.inc({ code_path: codePath, outcome });
  }
}

/** The other upstream is told that nobody waits for this, and nothing that would make its answer another one. */
function shadowHeaders(headers: string[]): string[] {
  const kept = ['x-shadow', 'true'];
  const conditions = /^(accept-encoding|if-.*|range)$/i;
  for (let at = 0; at < headers.length; at += 2) {
    const [name = '', value = ''] = headers.slice(at, at + 2);
    if (!conditions.test(name)) kept.push(name, value);
  }
  return kept;
}

function shortened(value: unknown): unknown {
  const text = JSON.stringify(value);
  return text === undefined || text.length <= LONGEST_VALUE ? value : `${text.slice(0, LONGEST_VALUE)}…`;
}
