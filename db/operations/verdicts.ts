import { type Compilable, sql } from 'kysely';
import type { OperationId } from '../../domain/identifiers.ts';
import { type Operation, workflowIdOf } from '../../domain/operation.ts';
import { type Refusal, type Refused, type Verdict, verdictSchema } from '../../domain/verdict.ts';
import { recordingVerdict } from '../audit-log.ts';
import { queryLimit } from '../bounded.ts';
import type { Database, DatabaseTransaction } from '../database.ts';
import { prepareTogether } from '../together.ts';

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
 * Prepares to write what a decision says and to store its verdict under the operation's id; the primary key lets only
 * the first writer through. The result throws {@link AdmissionExpiredError} when an admission comes too late: whoever
 * waited for it has been told that it will not happen.
 */
export function storingDecision(
  tx: DatabaseTransaction,
  operation: Operation,
  { verdict, writes }: Decision,
): () => Promise<void> {
  const write = prepareTogether(tx, [
    ...writes,
    ...recordingVerdict(tx, operation, verdict),
    storingVerdict(tx, operation, verdict),
  ]);
  return async () => {
    const matched = await write();
    if (matched.pop() !== 1) throw new AdmissionExpiredError();
    if (matched.includes(0)) throw new Error(`a row that operation ${operation.id} has locked was not as it was read`);
  };
}

function storingVerdict(tx: DatabaseTransaction, operation: Operation, verdict: Verdict): Compilable {
  const inTime = verdict.kind === 'admitted' ? sql`NOW(3) <= ${new Date(operation.admitBefore)}` : sql`TRUE`;
  const statement = sql`
    INSERT INTO operations (id, kind, account_id, workflow_id, request, verdict)
    SELECT ${operation.id}, ${operation.kind}, ${operation.accountId}, ${workflowIdOf(operation)},
           ${JSON.stringify(operation)}, ${JSON.stringify(verdict)}
    FROM DUAL WHERE ${inTime}`;
  return { compile: () => statement.compile(tx) };
}
