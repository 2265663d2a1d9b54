import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Account } from '../../dev/kit/account.ts';
import { until } from '../../dev/kit/until.ts';

/** One request of a customer, and its outcome. */
export interface TimedRequest {
  kind: 'read' | 'write';
  /** When it was sent, on the clock of `performance.now()`. */
  at: number;
  milliseconds: number;
  /** Null when there was no answer. */
  status: number | null;
  retryAfter: string | null;
  /** Why there was no answer, such as `ECONNRESET`; null when there was. */
  problem: string | null;
}

/** An operation that was accepted. */
export interface AcceptedOperation {
  actionId: number;
  ip: string;
  type: 'assign' | 'unassign';
  /** On the clock of `performance.now()`, as `endedAt`. */
  acceptedAt: number;
  endedAt: number | null;
  status: string;
}

/**
 * Whether a request went wrong: a broken connection, or an answer other than success. One that was rejected because this
 * machine had no time to start its workflow within the deadline did not.
 */
export function isFailure({ status, milliseconds }: TimedRequest): boolean {
  return status === null || (status >= 300 && !([503, 504].includes(status) && milliseconds > START_DEADLINE_MS));
}

/** Options of {@link Traffic}. */
export interface TrafficOptions {
  account: Account;
  /** Where to send requests. Like a balancer, it goes on to the next when one says that it ends, or has. */
  urls: string[];
  lanes: { ip: string; dropletId: number }[];
  /** Pause of each lane after each operation, in milliseconds; default 0. */
  pauseMs?: number;
  /** Reads one of the addresses without a pause between two of more than this, in milliseconds; by default nobody does. */
  readEveryMs?: number;
  /** Reserves addresses in this region, which completes by itself, beside the lanes; by default nobody does. */
  reserveIn?: { region: string; everyMs: number };
}

const POLL_PAUSE_MS = 20;
const AGAIN_MS = 100;
const START_DEADLINE_MS = 1_000;
const LONGEST_MS = 60_000;

const actionSchema = z.object({ action: z.object({ id: z.int(), status: z.string() }) });
const addressSchema = z.object({
  reserved_ip: z.object({ droplet: z.object({ id: z.int() }).nullable(), locked: z.boolean() }),
});

/**
 * Customers who each move one address on and off a droplet, all day long: look where it is, ask for the other, follow the
 * action to its end. What they are rejected they try again, and everything they see is kept.
 */
export class Traffic {
  readonly requests: TimedRequest[] = [];
  readonly operations: AcceptedOperation[] = [];
  readonly #options: TrafficOptions;
  readonly #running: Promise<void>[];
  readonly #ending = new Set<string>();
  #stopping = false;

  constructor(options: TrafficOptions) {
    this.#options = options;
    const { lanes, readEveryMs, reserveIn } = options;
    this.#running = lanes.map((lane) => this.#run(lane));
    const [first] = lanes;
    if (readEveryMs !== undefined && first !== undefined) {
      this.#running.push(this.#repeat(readEveryMs, () => this.#send('read', 'GET', `/v2/reserved_ips/${first.ip}`)));
    }
    if (reserveIn !== undefined) {
      const { region, everyMs } = reserveIn;
      this.#running.push(this.#repeat(everyMs, () => this.#send('write', 'POST', '/v2/reserved_ips', { region })));
    }
  }

  /** Begins nothing more, and follows what is accepted to its end. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#running);
  }

  /** Requests sent in a period on the clock of `performance.now()`. */
  between(from: number, to: number, kind?: TimedRequest['kind']): TimedRequest[] {
    return this.requests.filter(({ at, kind: its }) => at >= from && at < to && (kind === undefined || its === kind));
  }

  /** Accepted operations that are still to end. */
  get open(): AcceptedOperation[] {
    return this.operations.filter(({ endedAt }) => endedAt === null);
  }

  /** Everything that went wrong. */
  get failures(): TimedRequest[] {
    return this.requests.filter(isFailure);
  }

  async #repeat(everyMs: number, request: () => Promise<unknown>): Promise<void> {
    while (!this.#stopping) {
      await request();
      await sleep(everyMs);
    }
  }

  async #run({ ip, dropletId }: { ip: string; dropletId: number }): Promise<void> {
    const path = `/v2/reserved_ips/${ip}`;
    while (!this.#stopping) {
      const seen = addressSchema.safeParse(await this.#send('read', 'GET', path)).data?.reserved_ip;
      if (seen === undefined || seen.locked) {
        await sleep(seen === undefined ? AGAIN_MS : POLL_PAUSE_MS);
        continue;
      }
      const type = seen.droplet === null ? 'assign' : 'unassign';
      const body = type === 'assign' ? { type, droplet_id: dropletId } : { type };
      const accepted = actionSchema.safeParse(await this.#send('write', 'POST', `${path}/actions`, body)).data?.action;
      if (accepted === undefined) await sleep(AGAIN_MS);
      else await this.#follow({ actionId: accepted.id, ip, type, acceptedAt: performance.now() });
      await sleep(this.#options.pauseMs ?? 0);
    }
  }

  async #follow(begun: Pick<AcceptedOperation, 'actionId' | 'ip' | 'type' | 'acceptedAt'>): Promise<void> {
    const operation: AcceptedOperation = { ...begun, endedAt: null, status: 'in-progress' };
    this.operations.push(operation);
    const deadline = performance.now() + LONGEST_MS;
    while (performance.now() < deadline) {
      const answer = await this.#send('read', 'GET', `/v2/actions/${operation.actionId}`);
      operation.status = actionSchema.safeParse(answer).data?.action.status ?? operation.status;
      if (operation.status !== 'in-progress') {
        operation.endedAt = performance.now();
        return;
      }
      await sleep(POLL_PAUSE_MS);
    }
  }

  /** Sends a request and keeps its outcome; answers the body, or null when there is no good answer. */
  async #send(kind: TimedRequest['kind'], method: string, path: string, body?: unknown): Promise<unknown> {
    const at = performance.now();
    const keep = (seen: Partial<TimedRequest>) => {
      const milliseconds = performance.now() - at;
      this.requests.push({ kind, at, milliseconds, status: null, retryAfter: null, problem: null, ...seen });
    };
    const { account, urls } = this.#options;
    const open = urls.filter((url) => !this.#ending.has(url));
    let problem = 'no URL';
    for (const url of open.length > 0 ? open : urls) {
      try {
        const { status, headers, body: answer } = await account.http.at(url).send(method, path, { body });
        if (headers.get('connection') === 'close') this.#ending.add(url);
        keep({ status, retryAfter: headers.get('retry-after') });
        return status < 300 ? answer : null;
      } catch (error) {
        problem = reasonOf(error);
        if (problem !== 'ECONNREFUSED') break;
      }
    }
    keep({ problem });
    return null;
  }
}

/** The code of what is at the bottom of a failed fetch. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause !== undefined) return reasonOf(error.cause);
  return 'code' in error ? String(error.code) : error.name;
}

/** Reserves an address for each droplet, one after the other and again when that was rejected, so that a busy machine can. */
export async function prepareLanes(
  account: Account,
  region: string,
  dropletIds: number[],
): Promise<TrafficOptions['lanes']> {
  const lanes: TrafficOptions['lanes'] = [];
  for (const dropletId of dropletIds) {
    const ip = await until('an address was reserved', () => account.reserve(region).catch(() => null), 60_000);
    lanes.push({ ip, dropletId });
  }
  return lanes;
}
