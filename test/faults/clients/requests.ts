import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, Http } from '../../../dev/kit/http.ts';
import type { SeededRandom } from '../../../dev/kit/random.ts';
import { type Address, ipVersionOf } from '../../../domain/address.ts';
import { actionSchema, addressesOf, addressOf, dropletsOf, errorOf, outcomeOf, unexpected } from './answers.ts';
import { type Exchange, now, type Outcome } from './record.ts';

/** A caller that repeats a request under its key gives up after this long. */
const TIMEOUT_MS = 60_000;
const REPEAT_PAUSE_MS = 200;

/** A change that a client asks for. */
export interface ChangeRequest {
  method: 'POST' | 'DELETE';
  path: string;
  body?: unknown;
  /** Sent with an Idempotency-Key, and repeated under it until the outcome is known. */
  keyed: boolean;
  /** Reads the answer of an accepted request. */
  accepted(answer: Answer): Outcome;
  /** Whether a 503 says that nothing was changed only where its message does; otherwise every 503 says so. */
  onlyIfSaid?: boolean;
}

/** The path of an address. */
export function pathOf(address: Address): string {
  return `${ipVersionOf(address) === 6 ? '/v2/reserved_ipv6' : '/v2/reserved_ips'}/${address}`;
}

/** Speaks to one gateway after the other: it goes to the next when a connection breaks. */
export class Requests {
  readonly #gateways: Http[];
  readonly #onExchange: (exchange: Exchange) => void;
  #current: number;

  constructor(urls: readonly string[], token: string, random: SeededRandom, onExchange: (exchange: Exchange) => void) {
    this.#onExchange = onExchange;
    this.#gateways = urls.map((url) => new Http(url, token));
    this.#current = random.below(urls.length);
  }

  /** Asks for a change, and again under its key as long as its outcome is not known. */
  async change(request: ChangeRequest, seed: () => number): Promise<Outcome> {
    const headers: Record<string, string> = request.keyed ? { 'idempotency-key': `${randomUUID()}-${seed()}` } : {};
    const deadline = Date.now() + TIMEOUT_MS;
    let outcome: Outcome | null = null;
    for (let doubtful = false; ; doubtful = true) {
      const answer = await this.#send(request.method, request.path, { body: request.body, headers });
      outcome = outcomeOf(answer, request, doubtful);
      if (outcome.kind !== 'unknown' || !request.keyed || Date.now() > deadline) return outcome;
      await sleep(REPEAT_PAUSE_MS);
    }
  }

  /** Looks at an address; null when there is no answer that tells. */
  async address(ip: Address): Promise<Outcome | null> {
    const answer = await this.#read(pathOf(ip));
    if (answer === null) return null;
    if (answer.status === 404) return { kind: 'missing' };
    return answer.status === 200 ? addressOf(answer) : unexpected(answer);
  }

  /** Looks at an action; null when there is no answer that tells. */
  async action(id: number): Promise<Outcome | null> {
    const answer = await this.#read(`/v2/actions/${id}`);
    if (answer === null) return null;
    if (answer.status !== 200) return unexpected(answer);
    return { kind: 'action', status: actionSchema.parse(answer.body).action.status };
  }

  /** The addresses of the account, each with the droplet that it is on; null when there is no answer that tells. */
  async addresses(): Promise<Map<Address, number | null> | null> {
    const found = new Map<Address, number | null>();
    for (const path of ['/v2/reserved_ips', '/v2/reserved_ipv6']) {
      const answer = await this.#read(`${path}?per_page=200`);
      if (answer?.status !== 200) return null;
      for (const [address, droplet] of addressesOf(answer)) found.set(address, droplet);
    }
    return found;
  }

  /** The droplets of the account; null when there is no answer that tells. */
  async droplets(): Promise<number[] | null> {
    const answer = await this.#read('/v2/droplets?per_page=200');
    return answer?.status === 200 ? dropletsOf(answer) : null;
  }

  /** A read of which the gateway or the API says that it could not be answered is none. */
  async #read(path: string): Promise<Answer | null> {
    const answer = await this.#send('GET', path);
    return answer === null || [502, 503, 504].includes(answer.status) ? null : answer;
  }

  async #send(method: string, path: string, options: { body?: unknown; headers?: Record<string, string> } = {}) {
    const gateway = this.#gateways[this.#current];
    if (!gateway) throw new Error('there is no gateway');
    const call = now();
    try {
      const answer = await gateway.send(method, path, options);
      const { status } = answer;
      this.#onExchange({ call, return: now(), method, status, message: status < 500 ? null : errorOf(answer) });
      return answer;
    } catch {
      this.#onExchange({ call, return: now(), method, status: null, message: null });
      this.#current = (this.#current + 1) % this.#gateways.length;
      return null;
    }
  }
}
