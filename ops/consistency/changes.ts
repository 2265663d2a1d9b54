import { actionsEndedSince, openOperations } from '../../db/checked-operations.ts';
import type { Database } from '../../db/database.ts';
import type { Violation } from '../../domain/consistency-report.ts';
import { checkDatabase } from './checks/database.ts';
import { lastingViolations } from './lasting-violations.ts';

/** What {@link checkChanges} works with. */
export interface ChangesOptions {
  db: Database;
  /** Addresses whose last action ended before that, and which none is open on, are not looked at. */
  since: Date;
  /** Called after every page. */
  onProgress?: () => void;
}

/**
 * Checks what the database alone can tell, of the addresses that changed and of those an operation is open on, page by
 * page: the cost goes with what happens and not with what there is.
 */
export async function checkChanges({ db, since, onProgress = () => {} }: ChangesOptions): Promise<Violation[]> {
  const violations: Violation[] = [];
  for await (const page of changedAddresses(db, since)) {
    violations.push(...(await lastingViolations(() => checkDatabase(db, page))));
    onProgress();
  }
  return violations;
}

async function* changedAddresses(db: Database, since: Date): AsyncGenerator<number[]> {
  for await (const page of actionsEndedSince(db, since)) {
    yield [...new Set(page.flatMap(({ addressId }) => addressId ?? []))];
  }
  for await (const page of openOperations(db)) yield page.map(({ addressId }) => addressId);
}
