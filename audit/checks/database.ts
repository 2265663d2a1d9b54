import {
  addressesOnSeveralHosts,
  type BrokenRow,
  dropletsWithSeveralAddresses,
  fencesWithoutAction,
  freeAddressesStillAnswered,
  generationsOutOfOrder,
  misplacedAddresses,
  operationsWithoutAction,
} from '../../db/audit.ts';
import type { Database } from '../../db/database.ts';
import type { Violation } from '../violation.ts';

const CHECKS: { invariant: number; find(db: Database): Promise<BrokenRow[]> }[] = [
  { invariant: 1, find: dropletsWithSeveralAddresses },
  { invariant: 1, find: misplacedAddresses },
  { invariant: 1, find: addressesOnSeveralHosts },
  { invariant: 2, find: fencesWithoutAction },
  { invariant: 3, find: generationsOutOfOrder },
  { invariant: 4, find: freeAddressesStillAnswered },
  { invariant: 5, find: operationsWithoutAction },
];

/** What the database alone can tell. */
export async function checkDatabase(db: Database): Promise<Violation[]> {
  const found = await Promise.all(
    CHECKS.map(async ({ invariant, find }) => (await find(db)).map((row) => ({ invariant, ...row }))),
  );
  return found.flat();
}
