import type { Admitted } from '../../domain/decision.ts';
import { newOperationId } from '../../domain/identifiers.ts';
import type { AssignOperation } from '../../domain/operation.ts';
import { type Database, ping } from '../database.ts';
import { admitInDatabase } from './admit.ts';
import type { OperationRules } from './plan.ts';
import { settle } from './settle.ts';

/** As many as an operation and those who ask how far it is need at a time. */
const CONNECTIONS = 4;
const LIMIT_MS = 1_500;

/** Nobody can reserve it: it is in no pool that {@link admitInDatabase} knows. */
const NO_ADDRESS = '0.0.0.0';

/**
 * Opens connections, and runs the statements of an operation for an address that nobody has: they find nothing, and write
 * nothing. Rejects when the database does not answer.
 */
export async function prepareDatabase(db: Database, rules: OperationRules): Promise<void> {
  await Promise.all(Array.from({ length: CONNECTIONS }, () => ping(db, LIMIT_MS)));
  const operation: AssignOperation = {
    kind: 'assign',
    id: newOperationId(),
    accountId: 0,
    address: NO_ADDRESS,
    resourceType: 'reserved_ip',
    dropletId: 0,
  };
  await admitInDatabase({ db, operation, rules, mayBeRepeated: false, viaOutbox: true });
  const admitted: Admitted = {
    ...{ kind: 'admitted', operationId: operation.id, actionId: 0, startedAt: new Date(0).toISOString() },
    ...{ address: NO_ADDRESS, region: '', generation: 0, hostCommands: [], attachTo: null, detachFrom: [] },
    ...{ settled: false, billing: [] },
  };
  // It says that there is no such action, which is what it is to find.
  await settle(db, operation, admitted, rules).catch(() => {});
}
