import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Database } from '../db/database.ts';
import { type DueOperation, takeDueOperations } from '../db/outbox.ts';
import type { OperationStarter } from './starter.ts';

/** How often an idle process looks into the outbox, in milliseconds; a part of it is left to chance. */
const LOOK_MS = 1_000;
/** How long others leave an operation alone that was taken. */
const LEASE_SECONDS = 5;
/** The same for one that only finds out whether Temporal is back: it must not wait longer than the others when it is. */
const PROBE_LEASE_SECONDS = 1;
/** Most operations that are taken at a time; few, so that no process holds those that somebody waits for while another is idle. */
const BATCH = 32;
/**
 * Most that are started at a time. More would start no sooner: they would only keep those waiting that have started
 * before, whose workflows run on the same Temporal and in the same process.
 */
const AT_ONCE = 16;

/** What {@link reconcile} works with. */
export interface ReconcilerOptions {
  db: Database;
  starter: OperationStarter;
  logger: Logger;
  /** Aborted when the process is to stop. */
  signal: AbortSignal;
}

/**
 * Starts what others have left in the outbox: because their process died between the commit and the start, because
 * Temporal was away, or because a workflow ended before its operation did. Any number of processes may run it. Resolves
 * when `signal` is aborted.
 */
export async function reconcile({ db, starter, logger, signal }: ReconcilerOptions): Promise<void> {
  let isFailing = false;
  while (!signal.aborted) {
    let isBusy = false;
    try {
      isBusy = await lookOnce(db, starter);
      isFailing = false;
    } catch (error) {
      if (!isFailing) logger.warn({ err: error }, 'the outbox cannot be read');
      isFailing = true;
    }
    if (!isBusy) await sleep(LOOK_MS * (0.75 + Math.random() / 2), null, { signal }).catch(() => {});
  }
}

/** Answers whether there is more to do right now. */
async function lookOnce(db: Database, starter: OperationStarter): Promise<boolean> {
  // One is enough to find out whether Temporal is back; the others are left due, so that then nobody waits for a lease.
  const isProbe = starter.isTemporalAway;
  const limit = isProbe ? 1 : BATCH;
  const due = await takeDueOperations(db, { limit, leaseSeconds: isProbe ? PROBE_LEASE_SECONDS : LEASE_SECONDS });
  const waiting = due.values();
  let isSomeDone = false;
  const startWaiting = async () => {
    for (const operation of waiting) isSomeDone = (await startOne(starter, operation)) || isSomeDone;
  };
  await Promise.all(Array.from({ length: AT_ONCE }, startWaiting));
  return due.length === limit && isSomeDone;
}

async function startOne(starter: OperationStarter, { operation, admitted, hasEnded }: DueOperation): Promise<boolean> {
  if (hasEnded) {
    starter.remove(operation.id);
    return true;
  }
  return (await starter.start(operation, admitted)).kind !== 'left';
}
