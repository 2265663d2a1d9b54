import type { Database } from '../../../db/database.ts';
import {
  addressesOnSeveralHosts,
  type BrokenRow,
  type CheckScope,
  dropletsWithSeveralAddresses,
  fencesWithoutAction,
  freeAddressesStillAnswered,
  generationsOutOfOrder,
  misplacedAddresses,
  operationsWithoutAction,
} from '../../../db/invariants.ts';
import type { Violation } from '../../../domain/consistency-report.ts';

const CHECKS: { invariant: number; find(db: Database, scope: CheckScope): Promise<BrokenRow[]> }[] = [
  { invariant: 1, find: dropletsWithSeveralAddresses },
  { invariant: 1, find: misplacedAddresses },
  { invariant: 1, find: addressesOnSeveralHosts },
  { invariant: 2, find: fencesWithoutAction },
  { invariant: 3, find: generationsOutOfOrder },
  { invariant: 4, find: freeAddressesStillAnswered },
  { invariant: 5, find: operationsWithoutAction },
];

/** What the database alone can tell of the addresses of a scope. */
export async function checkDatabase(db: Database, scope: CheckScope): Promise<Violation[]> {
  const found = await Promise.all(
    CHECKS.map(async ({ invariant, find }) => (await find(db, scope)).map((row) => ({ invariant, ...row }))),
  );
  return found.flat();
}
