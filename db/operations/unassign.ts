import type { UnassignOperation } from '../../domain/operation.ts';
import { isLastOfDroplet, refusalOfUnassign } from '../../domain/rules.ts';
import type { Admitted, Refusal } from '../../domain/verdict.ts';
import type { DatabaseTransaction } from '../database.ts';
import { type AdmissionContext, type AdmissionResult, admitBy, nextGeneration, type Plan } from './admission.ts';
import { endOperation, lockAdmitted, reopenAction, undoesNothing } from './fence.ts';
import { hostEventQueries, moveEvents } from './host-events.ts';
import {
  addressQuery,
  dropletQuery,
  effectiveTime,
  type LockedAddress,
  type LockedDroplet,
  occupantsQuery,
  toLockedAddress,
  toLockedDroplet,
} from './locks.ts';

/**
 * Takes the fence and tells the host. One that is there because the droplet is destroyed destroys it when nothing else
 * stays on it; otherwise the droplet is left for the operation on the rest.
 */
export function admitUnassign(context: AdmissionContext<UnassignOperation>): Promise<AdmissionResult> {
  const { db, operation } = context;
  const { destroysDropletId } = operation;
  const address = addressQuery(db, operation.address);
  if (destroysDropletId === null) {
    return admitBy(context, [address], ([[row]]) => decide(operation, toLockedAddress(row), null));
  }
  const reads = [address, dropletQuery(db, destroysDropletId), occupantsQuery(db, destroysDropletId)] as const;
  return admitBy(context, reads, ([[row], [dropletRow], occupants]) =>
    decide(operation, toLockedAddress(row), toLockedDroplet(dropletRow, occupants)),
  );
}

function decide(
  operation: UnassignOperation,
  address: LockedAddress | null,
  destroyed: LockedDroplet | null,
): Refusal | Plan {
  const refusal = refusalOfUnassign(operation, { address, destroyed });
  if (refusal) return refusal;
  if (!address?.place) return 'not_assigned';
  const { place, dropletId } = address;
  return {
    address,
    actions: [{ type: 'unassign_ip', status: 'in-progress', dropletId, previousDropletId: dropletId }],
    changes: {},
    events: moveEvents(operation.id, address, nextGeneration(address), { from: place, to: null }),
    attachTo: null,
    detachFrom: place.hostState === 'active' ? [place.host] : [],
    settled: false,
    billing: null,
    destroys: destroyed && isLastOfDroplet(destroyed, address) ? destroyed.id : null,
  };
}

/** The address stays where it is: the host that did not confirm the detach is told to attach under a new generation. */
export async function undoUnassign(
  tx: DatabaseTransaction,
  operation: UnassignOperation,
  admitted: Admitted,
  reason: string,
): Promise<void> {
  const { address, action } = await lockAdmitted(tx, admitted);
  if (undoesNothing(address, action)) return;
  const generation = nextGeneration(address);
  const events = moveEvents(operation.id, address, generation, { from: null, to: address.place });
  const end = { status: 'errored', at: effectiveTime(address), reason } as const;
  await endOperation(tx, address, action.id, end, { generation }, hostEventQueries(tx, events));
}

/** Takes up an undone unassign again, for a run that was reset; see {@link reopenAction} for when that is refused. */
export async function reopenUnassign(
  tx: DatabaseTransaction,
  operation: UnassignOperation,
  admitted: Admitted,
): Promise<void> {
  const { address, action } = await lockAdmitted(tx, admitted);
  if (action.status === 'in-progress') return;
  const events = moveEvents(operation.id, address, nextGeneration(address), { from: address.place, to: null });
  await reopenAction(tx, address, action, {}, hostEventQueries(tx, events));
}
