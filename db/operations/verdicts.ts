import { type Compilable, sql } from 'kysely';
import { addressToBytes } from '../../domain/address.ts';
import type { OperationId } from '../../domain/identifiers.ts';
import { type Operation, workflowIdOf } from '../../domain/operation.ts';
import { type Refusal, type Refused, type Verdict, verdictSchema } from '../../domain/verdict.ts';
import { recordingVerdict } from '../audit-log.ts';
import { queryLimit } from '../bounded.ts';
import type { Database, DatabaseTransaction } from '../database.ts';
import { isRefusedNull } from '../retry.ts';
import { prepareLastWrites } from '../together.ts';

/** The verdict was not stored in time; the transaction must not commit. */
export class AdmissionExpiredError extends Error {
  constructor() {
    super('the operation was not admitted in time');
    this.name = 'AdmissionExpiredError';
  }
}

/** A refusal of this operation. */
export function refuse(operation: Operation, refusal: Refusal): Refused {
  return { kind: 'refused', operationId: operation.id, refusal };
}

/** The stored verdict of an operation, if it has one. */
export async function findVerdict(db: Database, operationId: OperationId): Promise<Verdict | null> {
  const row = await db
    .selectFrom('operations')
    .select('verdict')
    .where('id', '=', operationId)
    .executeTakeFirst(queryLimit());
  return row ? verdictSchema.parse(JSON.parse(row.verdict)) : null;
}

/** A verdict, and the writes that make it true. */
export interface Decision {
  verdict: Verdict;
  writes: Compilable[];
}

/** The decision that refuses an operation and changes nothing. */
export function refusal(operation: Operation, reason: Refusal): Decision {
  return { verdict: refuse(operation, reason), writes: [] };
}

/**
 * Prepares to write what a decision says, to store its verdict under the operation's id, and to commit; the primary key
 * lets only the first writer through. The result throws {@link AdmissionExpiredError}, and nothing is committed, when an
 * admission comes too late: whoever waited for it has been told that it will not happen.
 */
export function storingDecision(
  tx: DatabaseTransaction,
  operation: Operation,
  { verdict, writes }: Decision,
): () => Promise<void> {
  const store = prepareLastWrites(tx, [
    ...writes,
    ...recordingVerdict(tx, operation, verdict),
    storingVerdict(tx, operation, verdict),
  ]);
  return async () => {
    try {
      await store();
    } catch (error) {
      throw isRefusedNull(error, 'verdict') ? new AdmissionExpiredError() : error;
    }
  };
}

/** A verdict that does not hold is null, which its column refuses: so its transaction ends without a look at it. */
function storingVerdict(tx: DatabaseTransaction, operation: Operation, verdict: Verdict): Compilable {
  const statement = sql`
    INSERT INTO operations (id, kind, account_id, workflow_id, request, verdict)
    VALUES (${operation.id}, ${operation.kind}, ${operation.accountId}, ${workflowIdOf(operation)},
            ${JSON.stringify(operation)}, IF(${holds(operation, verdict)}, ${JSON.stringify(verdict)}, NULL))`;
  return { compile: () => statement.compile(tx) };
}

/** An admission holds in time only, and with its writes: its address carries its action and generation by now. */
function holds(operation: Operation, verdict: Verdict) {
  if (verdict.kind === 'refused') return sql`TRUE`;
  const { address, actionId, generation } = verdict;
  return sql`
    NOW(3) <= ${new Date(operation.admitBefore)}
    AND EXISTS (SELECT 1 FROM addresses
                WHERE address = ${addressToBytes(address)} AND last_action_id = ${actionId} AND generation = ${generation})`;
}
