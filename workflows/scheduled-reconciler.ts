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

/** Runs of older builds do not seal the audit log. */
const SEALING = 'seal-audit-log';

const { takeUpOperations, checkChanges, billWhatIsMissing, deleteOldKeys, sealAuditLog } =
  proxyActivities<ReconcilerActivities>({
    startToCloseTimeout: '5 minutes',
    heartbeatTimeout: '1 minute',
    retry: { maximumAttempts: 3 },
  });

/** Histories of runs that began before this step existed do not contain it. */
const DELETES_OLD_KEYS = 'delete-old-keys';

/**
 * The scheduled reconciler: starts operations again whose workflow is gone, shows broken invariants to operators, deletes
 * old idempotency keys and seals the audit log. It repairs nothing by guesswork. Its workflow type is `audit`.
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
  setCurrentDetails([`**${count} findings need an operator**`, ...lines].join('\n'));
}

/** The time up to which the previous run has checked; null when there was none. */
function endOfLastRun(result: unknown): string | null {
  if (typeof result !== 'object' || result === null || !('until' in result)) return null;
  return typeof result.until === 'string' ? result.until : null;
}
