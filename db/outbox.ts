import { sql } from 'kysely';
import { type Admitted, admittedSchema } from '../domain/decision.ts';
import type { OperationId } from '../domain/identifiers.ts';
import { type Operation, operationSchema } from '../domain/operation.ts';
import { queryLimit } from './bounded.ts';
import type { Database, DatabaseTransaction } from './database.ts';
import { inTransaction } from './transaction.ts';

/*
 * The outbox: admitted operations whose workflow is not known to have started.
 */

/** An admitted operation that is to be started. */
export interface DueOperation {
  operation: Operation;
  admitted: Admitted;
  /** Its workflow has ended its action already, and nothing is missing, so that it need not be started. */
  hasEnded: boolean;
}

/**
 * Takes operations that are due, first those that somebody waits for, the oldest first, passing over those that another
 * process is taking; nobody else takes them within `leaseSeconds`. Ranges of an index that are empty when nothing is
 * wrong.
 */
export async function takeDueOperations(
  db: Database,
  { limit, leaseSeconds }: { limit: number; leaseSeconds: number },
): Promise<DueOperation[]> {
  const taken = await inTransaction(db, async (tx) => {
    const waiting = await lockDue(tx, false, limit);
    const rows = [...waiting, ...(await lockDue(tx, true, limit - waiting.length))];
    if (rows.length === 0) return [];
    await sql`
      UPDATE outbox SET due_at = NOW(3) + INTERVAL ${sql.lit(leaseSeconds)} SECOND
      WHERE operation_id IN (${sql.join(rows.map(({ id }) => id))})`.execute(tx);
    return rows;
  });
  return readOperations(db, taken);
}

interface TakenRow {
  id: OperationId;
  settled: number;
}

async function lockDue(tx: DatabaseTransaction, settled: boolean, limit: number): Promise<TakenRow[]> {
  if (limit === 0) return [];
  const { rows } = await sql<TakenRow>`
    SELECT operation_id AS id, settled FROM outbox WHERE settled = ${settled ? 1 : 0} AND due_at <= NOW(3)
    ORDER BY due_at LIMIT ${sql.lit(limit)} FOR UPDATE SKIP LOCKED`.execute(tx);
  return rows;
}

async function readOperations(db: Database, taken: readonly TakenRow[]): Promise<DueOperation[]> {
  if (taken.length === 0) return [];
  const { rows } = await sql<{ request: string; verdict: string; inProgress: number }>`
    SELECT operations.request, operations.verdict,
           EXISTS (SELECT 1 FROM actions
                   WHERE actions.operation_id = operations.id AND actions.status = 'in-progress') AS inProgress
    FROM operations
    WHERE operations.id IN (${sql.join(taken.map(({ id }) => id))}) AND operations.decision = 'admitted'`.execute(
    db,
    queryLimit(),
  );
  const settled = new Set(taken.filter((row) => row.settled === 1).map(({ id }) => id));
  return rows.map(({ request, verdict, inProgress }) => {
    const operation = operationSchema.parse(JSON.parse(request));
    const admitted = admittedSchema.parse(JSON.parse(verdict));
    // What is settled already, by its admission or long ago, is still to be billed by its workflow.
    const hasEnded = inProgress === 0 && !settled.has(operation.id);
    return { operation, admitted, hasEnded };
  });
}

/** Takes operations out: their workflows have started. */
export async function removeFromOutbox(db: Database, operationIds: readonly OperationId[]): Promise<void> {
  if (operationIds.length === 0) return;
  await sql`DELETE FROM outbox WHERE operation_id IN (${sql.join(operationIds)})`.execute(db, queryLimit());
}

/**
 * Has operations started by whoever looks next, unless they wait for that already; those that have ended only when they
 * are `settled`: then their billing events are missing.
 */
export async function addToOutbox(
  db: Database,
  operationIds: readonly OperationId[],
  { settled = false }: { settled?: boolean } = {},
): Promise<void> {
  if (operationIds.length === 0) return;
  const rows = operationIds.map((id) => sql`(${id}, NOW(3), ${settled ? 1 : 0})`);
  await sql`INSERT IGNORE INTO outbox (operation_id, due_at, settled) VALUES ${sql.join(rows)}`.execute(
    db,
    queryLimit(),
  );
}

/** What waits in the outbox, and for how long the oldest is due, in seconds; for operators. */
export async function readOutboxState(db: Database): Promise<{ waiting: number; oldestDueSeconds: number }> {
  const { rows } = await sql<{ waiting: number; seconds: number | null }>`
    SELECT COUNT(*) AS waiting, TIMESTAMPDIFF(MICROSECOND, MIN(due_at), NOW(3)) / 1e6 AS seconds FROM outbox`.execute(
    db,
    queryLimit(),
  );
  return { waiting: Number(rows[0]?.waiting ?? 0), oldestDueSeconds: Math.max(0, Number(rows[0]?.seconds ?? 0)) };
}
