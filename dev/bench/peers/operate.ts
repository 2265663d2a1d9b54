import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Call, type Lane, type Peer, UnavailableError } from './peer.ts';
import type { PublishedEvents } from './published.ts';

/** From the yes to the event, at most; a killed process may leave it to a time-out. */
const PUBLISHED_WITHIN_MS = 60_000;

const ACCEPTED_WITHIN_MS = 60_000;
const SEND_AGAIN_AFTER_MS = 50;

/** One operation, in milliseconds from the request. */
export interface Timing {
  /** Until the caller had its yes. */
  accepted: number;
  /** Until its event could be read from Kafka, which is after it has settled in MySQL. */
  published: number;
  /** How often the caller was told to come again later before that. */
  unavailable: number;
}

/** The operation that comes next on a lane: its address goes on its droplet and off it again. */
function nextCall(peer: Peer, lane: Lane, repeatable: boolean): Call {
  return {
    operationId: randomUUID(),
    accountId: peer.accountId,
    address: lane.address,
    dropletId: lane.assigned ? null : lane.dropletId,
    repeatable,
  };
}

/** How an operation is sent. */
export interface Sending {
  /** Default: {@link Peer.accept}. */
  send?: (call: Call) => Promise<string>;
  /** See {@link Call.repeatable}; default false. */
  repeatable?: boolean;
}

/** Carries out the operation that comes next on a lane; sends it again while the peer says that it is unavailable. */
export async function operateNext(
  peer: Peer,
  events: PublishedEvents,
  lane: Lane,
  { send = (call) => peer.accept(call), repeatable = false }: Sending = {},
): Promise<Timing> {
  const call = nextCall(peer, lane, repeatable);
  let unavailable = 0;
  const begin = performance.now();
  async function sendInTheEnd(): Promise<string> {
    for (;;) {
      try {
        return await send(call);
      } catch (error) {
        if (!(error instanceof UnavailableError) || performance.now() - begin > ACCEPTED_WITHIN_MS) throw error;
      }
      unavailable += 1;
      await sleep(SEND_AGAIN_AFTER_MS);
    }
  }
  const publishedId = await sendInTheEnd();
  const accepted = performance.now() - begin;
  await events.seen(peer.topic, publishedId, PUBLISHED_WITHIN_MS);
  lane.assigned = !lane.assigned;
  return { accepted, published: performance.now() - begin, unavailable };
}
