import type { RejectionReason } from '../../domain/decision.ts';
import type { UnassignOperation } from '../../domain/operation.ts';
import { isLastOfDroplet, rejectionOfUnassign } from '../../domain/operations/unassign.ts';
import { statement } from '../statement.ts';
import { admitBy } from './admission.ts';
import { moveCommands } from './host-command-writes.ts';
import type { OperationWrites } from './kind.ts';
import {
  addressQuery,
  dropletQuery,
  type LockedAddress,
  type LockedDroplet,
  nextGeneration,
  occupantsQuery,
  toLockedAddress,
  toLockedDroplet,
} from './locks.ts';
import type { AddressChange, AdmissionContext, AdmissionResult, Plan } from './plan.ts';

/**
 * Takes the fence and issues the command to the host. An unassign that belongs to the deletion of a droplet destroys the
 * droplet when no other address stays on it; otherwise the operation on the last address does.
 */
function admitUnassign(context: AdmissionContext<UnassignOperation>): Promise<AdmissionResult> {
  const { operation } = context;
  const { destroysDropletId } = operation;
  const address = addressQuery(operation.address);
  if (destroysDropletId === null) {
    return admitBy(context, [address], ([[row]]) => decide(operation, toLockedAddress(row), null));
  }
  const reads = [address, dropletQuery(destroysDropletId), occupantsQuery(destroysDropletId)] as const;
  return admitBy(context, reads, ([[row], [dropletRow], occupants]) =>
    decide(operation, toLockedAddress(row), toLockedDroplet(dropletRow, occupants)),
  );
}

function decide(
  operation: UnassignOperation,
  address: LockedAddress | null,
  destroyed: LockedDroplet | null,
): RejectionReason | Plan {
  const rejection = rejectionOfUnassign(operation, { address, destroyed });
  if (rejection) return rejection;
  if (!address?.place) return 'not_assigned';
  const { place, dropletId } = address;
  const change: AddressChange = {
    address,
    actions: [{ type: 'unassign_ip', status: 'in-progress', dropletId, previousDropletId: dropletId }],
    changes: {},
    commands: moveCommands(operation.id, address, nextGeneration(address), { from: place, to: null }),
    billing: null,
  };
  const destroys = destroyed && { dropletId: destroyed.id, isLast: isLastOfDroplet(destroyed, address) };
  return { changes: [change], settled: false, destroys };
}

/** Takes an address off its droplet. */
export const unassignWrites: OperationWrites<UnassignOperation> = {
  admit: admitUnassign,
  settledColumns: () => statement`addresses.droplet_id = NULL`,
  billing: () => ({ kind: 'unassigned', dropletId: null }),
  reversal: {
    /** The address stays where it is: the host that did not confirm the detach is commanded to attach. */
    undo: ({ address }) => ({ changes: {}, move: { from: null, to: address.place } }),
    reopen: async (_tx, { address }) => ({ changes: {}, move: { from: address.place, to: null } }),
  },
};
