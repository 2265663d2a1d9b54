import type { RejectionReason } from '../../domain/decision.ts';
import type { AssignOperation } from '../../domain/operation.ts';
import { rejectionOfAssign } from '../../domain/operations/assign.ts';
import type { DatabaseTransaction } from '../database.ts';
import { statement } from '../statement.ts';
import { admitBy } from './admission.ts';
import { DropletUnavailableError } from './errors.ts';
import type { FencedAddress } from './fence.ts';
import { moveCommands } from './host-command-writes.ts';
import type { OperationWrites, Reversal } from './kind.ts';
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

/** Takes the fence and issues the commands to the hosts; a reassign is the same. */
function admitAssign(context: AdmissionContext<AssignOperation>): Promise<AdmissionResult> {
  const { operation } = context;
  const reads = [
    addressQuery(operation.address),
    dropletQuery(operation.dropletId),
    occupantsQuery(operation.dropletId),
  ] as const;
  return admitBy(context, reads, ([[addressRow], [dropletRow], occupants]) => {
    const address = toLockedAddress(addressRow);
    const droplet = toLockedDroplet(dropletRow, occupants);
    return rejectionOfAssign(operation, { address, droplet }) ?? planOf(operation, address, droplet);
  });
}

function planOf(
  operation: AssignOperation,
  address: LockedAddress | null,
  droplet: LockedDroplet | null,
): RejectionReason | Plan {
  if (!address) return 'address_not_found';
  if (!droplet) return 'droplet_not_found';
  const change: AddressChange = {
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
    commands: moveCommands(operation.id, address, nextGeneration(address), { from: address.place, to: droplet }),
    billing: null,
  };
  return { changes: [change], settled: false, destroys: null };
}

/** How an address is sent to a droplet, whatever kind of operation does so. */
export const sendingToDroplet = {
  settledColumns: () => statement`addresses.droplet_id = actions.droplet_id, addresses.target_droplet_id = NULL`,
  billing: ({ dropletId, previousDropletId }) => ({
    kind: previousDropletId === null ? 'assigned' : 'reassigned',
    dropletId,
  }),
  reversal: {
    /** Puts the address back where it was, and has the half-attached host detach. */
    undo: ({ address, action }) => ({
      changes: { target_droplet_id: null },
      move: { from: action.place, to: address.place },
    }),
    reopen: async (tx, fenced, all) => {
      const droplet = await lockFreeDroplet(tx, fenced, all);
      return { changes: { target_droplet_id: droplet.id }, move: { from: fenced.address.place, to: droplet } };
    },
  } satisfies Reversal,
} satisfies Pick<OperationWrites<AssignOperation>, 'settledColumns' | 'billing' | 'reversal'>;

/** Throws a {@link DropletUnavailableError} when the address cannot be assigned to the droplet of its action any more. */
async function lockFreeDroplet(
  tx: DatabaseTransaction,
  { address, action }: FencedAddress,
  all: readonly FencedAddress[],
): Promise<LockedDroplet> {
  const [row] = (await tx.executeQuery(dropletQuery(action.dropletId))).rows;
  const occupants = await tx.executeQuery(occupantsQuery(action.dropletId));
  const droplet = toLockedDroplet(row, occupants.rows);
  if (!droplet || droplet.isDestroyed) throw new DropletUnavailableError(action.id, action.dropletId, 'destroyed');
  const own = new Set(all.map((fenced) => fenced.address.address));
  const others = droplet.occupants.filter((occupant) => !own.has(occupant.address));
  if (others.some(({ ipVersion }) => ipVersion === address.ipVersion)) {
    throw new DropletUnavailableError(action.id, droplet.id, 'taken');
  }
  return droplet;
}

/** Points an address at a droplet. */
export const assignWrites: OperationWrites<AssignOperation> = { admit: admitAssign, ...sendingToDroplet };
