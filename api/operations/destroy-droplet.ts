import { unassignOperation } from '../../client/operations.ts';
import { recorded } from '../../db/audit-log.ts';
import { type DropletReference, deleteDroplet } from '../../db/droplet-changes.ts';
import { resourceTypeOf } from '../../domain/operation.ts';
import type { Requester } from '../../domain/requester.ts';
import type { ApiDependencies } from '../context.ts';
import { notFound, outcomeUnknown, rejectionToError, toApiError } from '../errors.ts';
import { dropletEntry } from './droplet-entry.ts';

/** One for each address that a droplet can hold, one to see that it is gone, and some for what changes meanwhile. */
const ATTEMPTS = 5;

/**
 * Deletes a droplet. One that holds addresses is deleted by the operation that takes the last of them off, so that no
 * address is ever left on a droplet that is gone. Throws the v2 error of a rejection.
 */
export async function destroyDroplet(
  dependencies: ApiDependencies,
  droplet: DropletReference,
  requestedBy: Requester,
): Promise<void> {
  const progress = { takenOff: false };
  try {
    await destroyStepwise(dependencies, droplet, requestedBy, progress);
  } catch (error) {
    // One of its addresses is off it already, so this is no rejection that leaves everything as it was.
    if (progress.takenOff && toApiError(error).status === 503) throw outcomeUnknown();
    throw error;
  }
}

async function destroyStepwise(
  { db, admit }: ApiDependencies,
  droplet: DropletReference,
  requestedBy: Requester,
  progress: { takenOff: boolean },
): Promise<void> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const deletion = await recorded(
      db,
      (tx) => deleteDroplet(tx, droplet),
      ({ kind }) => (kind === 'deleted' ? dropletEntry(requestedBy, droplet, 'delete droplet') : null),
    );
    if (deletion.kind === 'deleted') return;
    if (deletion.kind === 'not_found') {
      if (progress.takenOff) return;
      throw notFound();
    }
    if (deletion.kind === 'pending') break;
    const { address } = deletion;
    const resourceType = resourceTypeOf(address);
    const operation = unassignOperation({
      accountId: droplet.accountId,
      address,
      destroysDropletId: droplet.dropletId,
      resourceType,
      requestedBy,
    });
    const result = await admit(operation, { mayBeRepeated: false });
    if (result.kind !== 'rejected') {
      progress.takenOff = true;
      continue;
    }
    // The address has left the droplet since it was read: look again.
    if (result.reason === 'not_assigned' || result.reason === 'address_not_found') continue;
    if (result.reason !== 'address_pending') throw rejectionToError(result.reason, resourceType);
    break;
  }
  throw rejectionToError('droplet_pending', 'reserved_ip');
}
