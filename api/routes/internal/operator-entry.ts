import type { Context } from 'hono';
import type { NewAuditEntry } from '../../../db/audit-log.ts';
import type { ApiEnvironment } from '../../context.ts';
import { operatorOf } from '../../requester.ts';

/** What the audit log says about a change that an operator made. */
export function operatorEntry(
  c: Context<ApiEnvironment>,
  action: string,
  subject: string,
  { accountId = null, detail = null }: Partial<Pick<NewAuditEntry, 'accountId' | 'detail'>> = {},
): NewAuditEntry {
  return { requester: operatorOf(c), accountId, action, subject, outcome: 'done', detail, operationId: null };
}
