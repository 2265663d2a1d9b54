import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { type Answer, Http } from '../../support/http.ts';
import type { SeededRandom } from '../../support/random.ts';
import type { Outcome } from './record.ts';

/** A caller that repeats a request under its key gives up after this long. */
const PATIENCE_MS = 60_000;
const REPEAT_PAUSE_MS = 200;

const reservedSchema = z.object({
  reserved_ip: z.object({ ip: z.string(), droplet: z.object({ id: z.int() }).nullable(), locked: z.boolean() }),
});
const actionSchema = z.object({
  action: z.object({ id: z.int(), status: z.enum(['in-progress', 'completed', 'errored']) }),
});
const errorSchema = z.object({ message: z.string() });

/** A change that a client asks for. */
export interface ChangeRequest {
  method: 'POST' | 'DELETE';
  path: string;
  body?: unknown;
  /** Sent with an Idempotency-Key, and repeated under it until the outcome is known. */
  keyed: boolean;
  /** Reads the answer of an accepted request. */
  accepted(answer: Answer): Outcome;
}

/** Speaks to one API after the other: it goes to the next when a connection breaks. */
export class Requests {
  readonly #apis: Http[];
  #current: number;

  constructor(apiUrls: readonly string[], token: string, random: SeededRandom) {
    this.#apis = apiUrls.map((url) => new Http(url, token));
    this.#current = random.below(apiUrls.length);
  }

  /** Asks for a change, and again under its key as long as its outcome is not known. */
  async change(request: ChangeRequest, seed: () => number): Promise<Outcome> {
    const headers: Record<string, string> = request.keyed ? { 'idempotency-key': `${randomUUID()}-${seed()}` } : {};
    const deadline = Date.now() + PATIENCE_MS;
    let outcome: Outcome | null = null;
    for (let doubtful = false; ; doubtful = true) {
      const answer = await this.#send(request.method, request.path, { body: request.body, headers });
      outcome = outcomeOf(answer, request, doubtful);
      if (outcome.kind !== 'unknown' || !request.keyed || Date.now() > deadline) return outcome;
      await sleep(REPEAT_PAUSE_MS);
    }
  }

  /** Looks at an address; null when there is no answer that tells. */
  async address(ip: string): Promise<Outcome | null> {
    const answer = await this.#send('GET', `/v2/reserved_ips/${ip}`);
    if (answer === null || answer.status === 503) return null;
    if (answer.status === 404) return { kind: 'missing' };
    if (answer.status !== 200) return unexpected(answer);
    const { droplet, locked } = reservedSchema.parse(answer.body).reserved_ip;
    return { kind: 'address', droplet: droplet?.id ?? null, locked };
  }

  /** Looks at an action; null when there is no answer that tells. */
  async action(id: number): Promise<Outcome | null> {
    const answer = await this.#send('GET', `/v2/actions/${id}`);
    if (answer === null || answer.status === 503) return null;
    if (answer.status !== 200) return unexpected(answer);
    return { kind: 'action', status: actionSchema.parse(answer.body).action.status };
  }

  /** The addresses of the account; null when there is no answer that tells. */
  async addresses(): Promise<string[] | null> {
    const answer = await this.#send('GET', '/v2/reserved_ips?per_page=200');
    if (answer?.status !== 200) return null;
    const { reserved_ips } = z.object({ reserved_ips: z.array(z.object({ ip: z.string() })) }).parse(answer.body);
    return reserved_ips.map(({ ip }) => ip);
  }

  async #send(method: string, path: string, options: { body?: unknown; headers?: Record<string, string> } = {}) {
    const api = this.#apis[this.#current];
    if (!api) throw new Error('there is no API');
    try {
      return await api.send(method, path, options);
    } catch {
      this.#current = (this.#current + 1) % this.#apis.length;
      return null;
    }
  }
}

/** `doubtful`: the same request was sent before, and what came of that is not known. */
function outcomeOf(answer: Answer | null, request: ChangeRequest, doubtful: boolean): Outcome {
  if (answer === null) return { kind: 'unknown', why: 'the connection broke' };
  const { status, headers, body } = answer;
  if (status >= 200 && status < 300) return request.accepted(answer);
  const error = errorSchema.safeParse(body);
  if (!error.success) return unexpected(answer);
  const { message } = error.data;
  switch (status) {
    case 503:
      if (!headers.has('retry-after')) return unexpected(answer);
      // It is only about this try, unless it says more.
      if (doubtful && !message.includes('Nothing was changed')) return { kind: 'unknown', why: message };
      return { kind: 'unavailable', message };
    case 504:
    case 409:
      return { kind: 'unknown', why: message };
    case 404:
    case 422:
      return { kind: 'refused', status, message };
    default:
      return unexpected(answer);
  }
}

/** The outcome of a reserve that was accepted. */
export function reserved(answer: Answer): Outcome {
  return { kind: 'accepted', address: reservedSchema.parse(answer.body).reserved_ip.ip, action: null };
}

/** The outcome of an assign or unassign that was accepted. */
export function started(address: string): (answer: Answer) => Outcome {
  return (answer) => ({ kind: 'accepted', address, action: actionSchema.parse(answer.body).action.id });
}

/** The outcome of a release that was accepted. */
export function released(address: string): () => Outcome {
  return () => ({ kind: 'accepted', address, action: null });
}

function unexpected({ status, text }: Answer): Outcome {
  return { kind: 'unexpected', status, text: text.slice(0, 300) };
}
