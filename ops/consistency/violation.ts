import type { Violation } from '../../domain/consistency-report.ts';
import { shown } from '../../platform/text/visible.ts';

/** The same between two looks, while figures in the detail go on. */
export function identityOf({ invariant, subject }: Violation): string {
  return `${invariant} ${subject}`;
}

/** One line for a terminal. */
export function describeViolation({ invariant, subject, detail }: Violation): string {
  return shown`invariant ${invariant}: ${subject}: ${detail}`;
}
