import { type Address, addressFromBytes } from '../domain/address.ts';
import { operationSchema } from '../domain/operation.ts';
import type { DatabaseTransaction } from './database.ts';

/** An address that is on a droplet, or on its way to it. */
export interface DropletOccupant {
  address: Address;
  /**
   * `held`: no operation is open on it. `leaving`: an operation takes it off because the droplet is destroyed, which
   * nothing undoes. `pending`: any other operation is open on it.
   */
  standing: 'held' | 'leaving' | 'pending';
}

/**
 * Everything on a droplet and on its way to it. Under the droplet's lock nothing can come to it afterwards, so a droplet
 * whose occupants are all leaving may go.
 */
export async function listOccupants(tx: DatabaseTransaction, dropletId: number): Promise<DropletOccupant[]> {
  const rows = await tx
    .selectFrom('addresses')
    .leftJoin('actions', 'actions.id', 'addresses.pending_action_id')
    .leftJoin('operations', 'operations.id', 'actions.operation_id')
    .select(['addresses.address', 'addresses.pending_action_id', 'operations.request'])
    .where((where) =>
      where.or([where('addresses.droplet_id', '=', dropletId), where('addresses.target_droplet_id', '=', dropletId)]),
    )
    .orderBy('addresses.id')
    .execute();
  return rows.map(({ address, pending_action_id, request }) => ({
    address: addressFromBytes(address),
    standing: pending_action_id === null ? 'held' : destroys(request, dropletId) ? 'leaving' : 'pending',
  }));
}

function destroys(request: string | null, dropletId: number): boolean {
  if (request === null) return false;
  const operation = operationSchema.parse(JSON.parse(request));
  return operation.kind === 'unassign' && operation.destroysDropletId === dropletId;
}
