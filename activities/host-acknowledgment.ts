import { CompleteAsyncError, Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { Database } from '../db/database.ts';
import { beginVisibleWait, readHostEventState, reissueHostEvent } from '../db/operations/acknowledgment.ts';
import { SupersededError } from '../db/operations/fence.ts';
import { reopen } from '../db/operations/settle.ts';
import { type HostChange, reasonGiven } from '../domain/host-event.ts';
import { HOST_FAILED, HOST_GONE } from '../domain/names.ts';
import type { Operation } from '../domain/operation.ts';
import type { Admitted } from '../domain/verdict.ts';
import { tellAttempt } from './attempts.ts';
import { whileDatabaseIsAway } from './database-patience.ts';
import { failingReadably } from './failures.ts';

/** Whose word the workflow waits for. */
export interface HostWait {
  host: string;
  change: HostChange;
}

/** Called after a host was told something, so that its long poll need not wait for its next look. */
export type HostNotifier = (hosts: string[]) => void;

/**
 * Waits for a host's word. It is completed from outside, by whoever receives the acknowledgment, so that operators
 * see the wait as a pending activity. An acknowledgment that came earlier is found here; a later attempt tells the
 * host again; a run that was reset after it had been undone takes its operation up again here.
 */
export async function awaitHostAcknowledgment(
  db: Database,
  notifyHosts: HostNotifier,
  operation: Operation,
  admitted: Admitted,
  wait: HostWait,
): Promise<void> {
  const { attempt } = Context.current().info;
  await tellAttempt();
  const look = async () => {
    await beginVisibleWait(db, operation.id);
    let state = await readHostEventState(db, admitted, wait.host, wait.change);
    if (state.actionStatus === 'errored') {
      await reopen(db, operation, admitted);
      notifyHosts([wait.host]);
      state = await readHostEventState(db, admitted, wait.host, wait.change);
    }
    if (state.actionStatus === 'completed' || state.outcome === 'applied') return;
    if (!state.holdsFence) throw new SupersededError(admitted.actionId, null);
    if (state.hostState === 'gone') return hostIsGone(wait);
    if (attempt > 1) {
      await reissueHostEvent(db, operation, admitted, wait.host, wait.change);
      notifyHosts([wait.host]);
    } else if (state.outcome !== null) {
      throw ApplicationFailure.retryable(failureMessage(wait, admitted, state.message), HOST_FAILED);
    }
    throw new CompleteAsyncError();
  };
  await failingReadably(() => whileDatabaseIsAway(look));
}

/** A host that is gone answers on no address any more, and can be given none. */
function hostIsGone({ host, change }: HostWait): void {
  if (change === 'detach') return;
  throw ApplicationFailure.nonRetryable(`host ${host} was declared gone`, HOST_GONE);
}

function failureMessage({ host, change }: HostWait, admitted: Admitted, message: string | null): string {
  return `host ${host} could not ${change} ${admitted.address}: ${reasonGiven(message)}`;
}
