import {
  patched,
  proxyActivities,
  setCurrentDetails,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { ReconcilerActivities } from '../activities/scheduled-reconciler.ts';
import type { Findings, ReconcilerReport } from '../domain/consistency-report.ts';
import { FINDINGS } from '../domain/search-attributes.ts';
import { markdownText } from '../platform/text/visible.ts';

/** Runs of builds before have not sealed the audit log. */
const SEALING = 'seal-audit-log';

const { takeUpOperations, checkChanges, billWhatIsMissing, deleteOldKeys, sealAuditLog } =
  proxyActivities<ReconcilerActivities>({
    startToCloseTimeout: '5 minutes',
    heartbeatTimeout: '1 minute',
    retry: { maximumAttempts: 3 },
  });

/** Audits that began before there was this step have no place for it in their histories. */
const DELETES_OLD_KEYS = 'delete-old-keys';

/**
 * Looks after the whole system, each time it is scheduled: operations whose workflow is gone are started again, and
 * what breaks an invariant is shown to operators. It mends nothing by guesswork. At last it deletes what nobody needs.
 */
export async function scheduledReconciler(): Promise<ReconcilerReport> {
  const since = endOfLastRun(workflowInfo().lastResult);
  const { open, takenUp } = await takeUpOperations();
  const changed = await checkChanges(since);
  show(changed);
  const billed = await billWhatIsMissing(since, changed.until);
  const findings = { count: changed.count + billed.count, violations: [...changed.violations, ...billed.violations] };
  show(findings);
  if (patched(DELETES_OLD_KEYS)) await deleteOldKeys();
  const sealed = patched(SEALING) ? await sealAuditLog() : undefined;
  return {
    until: changed.until,
    open,
    takenUp: [...takenUp, ...billed.takenUp],
    findings: findings.count,
    violations: findings.violations,
    ...(sealed && { sealed }),
  };
}

function show({ count, violations }: Findings): void {
  if (count === 0) return;
  upsertSearchAttributes([{ key: FINDINGS, value: count }]);
  const lines = violations.map(({ invariant, subject, detail }) => {
    return `- invariant ${invariant}: ${markdownText(`${subject}: ${detail}`)}`;
  });
  setCurrentDetails([`**${count} findings need a person**`, ...lines].join('\n'));
}

/** What the audit before this one has told; null when there was none. */
function endOfLastRun(result: unknown): string | null {
  if (typeof result !== 'object' || result === null || !('until' in result)) return null;
  return typeof result.until === 'string' ? result.until : null;
}
