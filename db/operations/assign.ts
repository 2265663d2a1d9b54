import type { AssignOperation, ReserveOperation } from '../../domain/operation.ts';
import { refusalOfAssign } from '../../domain/rules.ts';
import type { Admitted, Refusal } from '../../domain/verdict.ts';
import type { DatabaseTransaction } from '../database.ts';
import { type AdmissionContext, type AdmissionResult, admitBy, nextGeneration, type Plan } from './admission.ts';
import { endOperation, findPlace, lockAdmitted, reopenAction, SupersededError, undoesNothing } from './fence.ts';
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

/** Takes the fence and tells the hosts; a reassign is the same. */
export function admitAssign(context: AdmissionContext<AssignOperation>): Promise<AdmissionResult> {
  const { db, operation } = context;
  const reads = [
    addressQuery(db, operation.address),
    dropletQuery(db, operation.dropletId),
    occupantsQuery(db, operation.dropletId),
  ] as const;
  return admitBy(context, reads, ([[addressRow], [dropletRow], occupants]) => {
    const address = toLockedAddress(addressRow);
    const droplet = toLockedDroplet(dropletRow, occupants);
    return refusalOfAssign(operation, { address, droplet }) ?? planOf(operation, address, droplet);
  });
}

function planOf(
  operation: AssignOperation,
  address: LockedAddress | null,
  droplet: LockedDroplet | null,
): Refusal | Plan {
  if (!address) return 'address_not_found';
  if (!droplet) return 'droplet_not_found';
  const { place: previous } = address;
  const moves = previous?.hostState === 'active' && previous.hostId !== droplet.hostId;
  return {
    address,
    actions: [
      {
        type: 'assign_ip',
        status: 'in-progress',
        dropletId: droplet.id,
        previousDropletId: address.dropletId,
      },
    ],
    changes: { target_droplet_id: droplet.id },
    events: moveEvents(operation.id, address, nextGeneration(address), { from: previous, to: droplet }),
    attachTo: droplet.host,
    detachFrom: moves ? [previous.host] : [],
    settled: false,
    billing: null,
    destroys: null,
  };
}

/** Puts the address back where it was, under a new generation, and has the half-attached host detach. */
export async function undoAssign(
  tx: DatabaseTransaction,
  operation: AssignOperation | ReserveOperation,
  admitted: Admitted,
  reason: string,
): Promise<void> {
  const { address, action } = await lockAdmitted(tx, admitted);
  if (undoesNothing(address, action)) return;
  const generation = nextGeneration(address);
  const target = await findPlace(tx, action.dropletId);
  const events = moveEvents(operation.id, address, generation, { from: target, to: address.place });
  const end = { status: 'errored', at: effectiveTime(address), reason } as const;
  const changes = { target_droplet_id: null, generation };
  await endOperation(tx, address, action.id, end, changes, hostEventQueries(tx, events));
}

/** Takes up an undone assign again, for a run that was reset; see {@link reopenAction} for when that is refused. */
export async function reopenAssign(
  tx: DatabaseTransaction,
  operation: AssignOperation | ReserveOperation,
  admitted: Admitted,
): Promise<void> {
  const { address, action } = await lockAdmitted(tx, admitted);
  if (action.status === 'in-progress') return;
  const [row] = (await tx.executeQuery(dropletQuery(tx, action.dropletId))).rows;
  const occupants = await tx.executeQuery(occupantsQuery(tx, action.dropletId));
  const droplet = toLockedDroplet(row, occupants.rows);
  const isFree = droplet?.occupants.every(({ family }) => family !== address.family);
  if (!droplet || droplet.isDestroyed || !isFree) throw new SupersededError(action.id, null);
  const events = moveEvents(operation.id, address, nextGeneration(address), { from: address.place, to: droplet });
  await reopenAction(tx, address, action, { target_droplet_id: droplet.id }, hostEventQueries(tx, events));
}
