import { CompleteAsyncError, Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { Database } from '../db/database.ts';
import { beginVisibleWait, readHostCommandState, reissueHostCommand } from '../db/operations/acknowledgment.ts';
import { reasonForNoFence } from '../db/operations/errors.ts';
import { reopen } from '../db/operations/reversal.ts';
import { fenceOf, hostsOf } from '../domain/admitted.ts';
import type { Admitted, HostCommand } from '../domain/decision.ts';
import { reasonGiven } from '../domain/host-protocol.ts';
import { HOST_FAILED, HOST_GONE } from '../domain/names.ts';
import type { Operation } from '../domain/operation.ts';
import { reportAttempt } from './attempts.ts';
import { failingReadably } from './failures.ts';
import { untilDatabaseAnswers } from './until-database-answers.ts';

/** Whose word a workflow waits for, as any version may have recorded it: one without an address means its own. */
export type HostWait = Pick<HostCommand, 'host' | 'change'> & Partial<HostCommand>;

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
  const { address = admitted.address, generation = admitted.generation } = wait;
  const command: HostCommand = { ...wait, address, generation };
  await reportAttempt();
  const look = async () => {
    await beginVisibleWait(db, operation.id);
    let state = await readHostCommandState(db, admitted, command);
    if (state.actionStatus === 'errored') {
      await reopen(db, operation, admitted);
      notifyHosts(hostsOf(admitted));
      state = await readHostCommandState(db, admitted, command);
    }
    if (state.actionStatus === 'completed' || state.outcome === 'applied') return;
    if (!state.holdsFence) {
      const action = { id: fenceOf(admitted, address).actionId, status: state.actionStatus };
      throw reasonForNoFence(action, state.lastActionId);
    }
    if (state.hostState === 'gone') return hostIsGone(command);
    if (attempt > 1) {
      await reissueHostCommand(db, admitted, command);
      notifyHosts([command.host]);
    } else if (state.outcome !== null) {
      throw ApplicationFailure.retryable(failureMessage(command, state.message), HOST_FAILED);
    }
    throw new CompleteAsyncError();
  };
  await failingReadably(() => untilDatabaseAnswers(look));
}

/** A host that is gone answers on no address any more, and can be given none. */
function hostIsGone({ host, change }: HostCommand): void {
  if (change === 'detach') return;
  throw ApplicationFailure.nonRetryable(`host ${host} was declared gone`, HOST_GONE);
}

function failureMessage({ host, change, address }: HostCommand, message: string | null): string {
  return `host ${host} could not ${change} ${address}: ${reasonGiven(message)}`;
}
