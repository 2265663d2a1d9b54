import { setTimeout as sleep } from 'node:timers/promises';
import { printError } from '../../../platform/text/print.ts';
import { shown } from '../../../platform/text/visible.ts';
import { messageOf } from '../../environment/errors.ts';
import { operateNext } from './operate.ts';
import type { Call, Lane, Outcome, Peer } from './peer.ts';
import type { PublishedEvents } from './published.ts';

/** How a peer came through the death of its process. */
export interface Recovery extends Outcome {
  name: string;
  operations: number;
  /** How many were under way when the process was killed. */
  underWay: number;
  /** From the kill until it answered again. */
  restartMs: number;
  /** From the kill until the last operation that was under way had been published; null when one never was. */
  recoveredMs: number | null;
  /** Operations without an event, and with more than one of the same id. */
  unpublished: number;
  publishedAgain: number;
  /** Whether every operation is completed once and was published. */
  whole: boolean;
}

interface Asked {
  operationId: string;
  /** Empty until it was accepted. */
  publishedId: string;
  lane: Lane;
}

const SEND_AGAIN_AFTER_MS = 50;
const ACCEPTED_WITHIN_MS = 60_000;

/**
 * Kills a peer's process in the middle of `operationsPerLane` operations on each lane whose host takes 100 ms, and
 * starts it again. A caller without an answer sends the same operation again until it has one.
 */
export async function recover(peer: Peer, events: PublishedEvents, operationsPerLane: number): Promise<Recovery> {
  const lanes = peer.lanes[100];
  const asked: Asked[] = [];
  const underWay = new Set<Asked>();
  const operations = lanes.length * operationsPerLane;
  const killAt = Math.floor(operations / 3);
  const middle = Promise.withResolvers<void>();
  let published = 0;
  let lastOfThoseAtKill = Number.NaN;
  let atKill = new Set<Asked>();

  async function work(lane: Lane): Promise<void> {
    for (let number = 0; number < operationsPerLane; number++) {
      const operation: Asked = { operationId: '', publishedId: '', lane };
      asked.push(operation);
      underWay.add(operation);
      const send = async (call: Call) => {
        operation.operationId = call.operationId;
        operation.publishedId = await acceptInTheEnd(peer, call);
        return operation.publishedId;
      };
      await operateNext(peer, events, lane, { send, repeatable: true });
      underWay.delete(operation);
      if (atKill.has(operation)) lastOfThoseAtKill = performance.now();
      published += 1;
      if (published === killAt) middle.resolve();
    }
  }

  // A lane whose operation does not end stops there, and is counted below.
  const working = Promise.allSettled(lanes.map(work));
  await Promise.race([middle.promise, working]);
  atKill = new Set(underWay);
  const killed = performance.now();
  await peer.kill();
  await peer.restart();
  const restartMs = performance.now() - killed;
  for (const lane of await working) {
    if (lane.status === 'rejected') printError(shown`${peer.name}: ${messageOf(lane.reason)}`);
  }

  // An event that is published again comes after the first.
  await sleep(1_000);
  const accepted = asked.filter(({ publishedId }) => publishedId !== '');
  const outcome = await peer.outcome(accepted);
  const counts = asked.map(({ publishedId }) => events.count(peer.topic, publishedId));
  const unpublished = counts.filter((count) => count === 0).length;
  return {
    ...outcome,
    name: peer.name,
    operations,
    underWay: atKill.size,
    restartMs,
    recoveredMs: underWay.size === 0 ? lastOfThoseAtKill - killed : null,
    unpublished,
    publishedAgain: counts.filter((count) => count > 1).length,
    whole: outcome.completed === operations && outcome.doubled === 0 && outcome.open === 0 && unpublished === 0,
  };
}

async function acceptInTheEnd(peer: Peer, call: Call): Promise<string> {
  const deadline = performance.now() + ACCEPTED_WITHIN_MS;
  for (;;) {
    try {
      return await within(peer.accept(call), deadline);
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
    await sleep(SEND_AGAIN_AFTER_MS);
  }
}

async function within<T>(answer: Promise<T>, deadline: number): Promise<T> {
  const timer = new AbortController();
  const late = sleep(deadline - performance.now(), undefined, { signal: timer.signal }).then(() => {
    throw new Error('no answer in time');
  });
  late.catch(() => undefined);
  try {
    return await Promise.race([answer, late]);
  } finally {
    timer.abort();
  }
}
