import type { NewAuditEntry } from '../../db/audit-log.ts';
import type { DropletReference } from '../../db/droplet-changes.ts';
import type { Requester } from '../../domain/requester.ts';

/** What the audit log says about a change of a droplet that was made. */
export function dropletEntry(
  requester: Requester,
  { accountId, dropletId }: DropletReference,
  action: string,
): NewAuditEntry {
  return {
    requester,
    accountId,
    action,
    subject: `droplet ${dropletId}`,
    outcome: 'done',
    detail: null,
    operationId: null,
  };
}
