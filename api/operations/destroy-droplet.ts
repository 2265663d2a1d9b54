import { type DropletReference, deleteDroplet } from '../../db/droplet-changes.ts';
import type { ApiDependencies } from '../context.ts';
import { notFound, refusalToError } from '../errors.ts';

const RESOURCE_TYPE = 'reserved_ip';
const ATTEMPTS = 3;

/**
 * Deletes a droplet. One that holds an address is deleted by the operation that takes the address off, so that no
 * address is ever left on a droplet that is gone. Throws the v2 error of a refusal.
 */
export async function destroyDroplet({ db, client }: ApiDependencies, droplet: DropletReference): Promise<void> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const deletion = await deleteDroplet(db, droplet);
    if (deletion.kind === 'deleted') return;
    if (deletion.kind === 'not_found') throw notFound();
    if (deletion.kind === 'pending') break;
    const { verdict } = await client.unassign({
      accountId: droplet.accountId,
      address: deletion.address,
      destroysDropletId: droplet.dropletId,
      resourceType: RESOURCE_TYPE,
    });
    if (verdict.kind === 'admitted') return;
    // The address has left the droplet since it was read: look again.
    if (verdict.refusal === 'not_assigned' || verdict.refusal === 'address_not_found') continue;
    if (verdict.refusal !== 'address_pending') throw refusalToError(verdict.refusal, RESOURCE_TYPE);
    break;
  }
  throw refusalToError('droplet_pending', RESOURCE_TYPE);
}
