import { type Compilable, CompiledQuery, Transaction } from 'kysely';
import { REQUEST_LIMIT_MS } from './bounded.ts';
import type { Database, DatabaseTransaction } from './database.ts';
import { CommitInDoubtError, NestedTransactionError, TransactionLimitError } from './errors.ts';
import { LONGEST_TRANSACTION_MS } from './raised-hosts.ts';
import { isAnswerOfServer, retryRolledBack } from './retry.ts';
import { joinQueries, type Written, writtenByEach } from './together.ts';

/*
 * The ways to write. Each owns its transaction and its time limit from the first statement to the last: past the limit
 * the connection is ended, so that nothing of the work can run after the rollback, and nothing is committed.
 */

/** Options of {@link inTransaction}. */
export interface TransactionOptions {
  /**
   * All of it, its repetitions included, in milliseconds; default 1,500, so that no customer waits for long. At most
   * {@link LONGEST_TRANSACTION_MS}, because it may raise the sequence of a host.
   */
  limitMs?: number;
  /** How often it is tried in all when MySQL rolls it back for the sake of another one; default 4. */
  attempts?: number;
}

/** Options of {@link inLongTransaction}. */
export interface LongTransactionOptions extends TransactionOptions {
  /** All of it, its repetitions included, in milliseconds; as long as it needs. */
  limitMs: number;
}

/**
 * Runs `work` in a transaction of its own. Throws {@link CommitInDoubtError} when the commit was sent and not answered;
 * after every other error, such as a TimeoutError past the limit, nothing was committed.
 */
export async function inTransaction<Result>(
  db: Database,
  work: (tx: DatabaseTransaction) => Promise<Result>,
  { limitMs = REQUEST_LIMIT_MS, attempts }: TransactionOptions = {},
): Promise<Result> {
  return run(db, work, raisingDeadline(limitMs), attempts);
}

/**
 * The same for work that tells hosts nothing, which may take longer: a host would wait for what it was given in vain.
 * Whatever raises a sequence wants a {@link DatabaseTransaction}, and `tx` is none to the compiler.
 */
export async function inLongTransaction<Result>(
  db: Database,
  work: (tx: Database) => Promise<Result>,
  { limitMs, attempts }: LongTransactionOptions,
): Promise<Result> {
  return run(db, work, new Deadline(limitMs), attempts);
}

/** Throws a {@link TransactionLimitError} for a limit that hosts would not be told within. */
function raisingDeadline(limitMs: number): Deadline {
  if (limitMs > LONGEST_TRANSACTION_MS) throw new TransactionLimitError(limitMs, LONGEST_TRANSACTION_MS);
  return new Deadline(limitMs);
}

/** When a transaction must be over. */
class Deadline {
  readonly signal: AbortSignal;
  readonly #at: number;

  constructor(limitMs: number) {
    this.signal = AbortSignal.timeout(limitMs);
    this.#at = performance.now() + limitMs;
  }

  /** Goes by the clock too: a process that stood still finds its answers before its timers. */
  throwIfOver(): void {
    this.signal.throwIfAborted();
    if (performance.now() > this.#at) throw new DOMException('the transaction has taken too long', 'TimeoutError');
  }
}

async function run<Result>(
  db: Database,
  work: (tx: DatabaseTransaction) => Promise<Result>,
  deadline: Deadline,
  attempts: number | undefined,
): Promise<Result> {
  if (db instanceof Transaction) throw new NestedTransactionError();
  const attempt = () =>
    db.connection().execute(
      async (connection) => {
        const tx = await connection.startTransaction().execute();
        let sent = false;
        try {
          const result = await work(tx);
          deadline.throwIfOver();
          sent = true;
          await tx.commit().execute();
          return result;
        } catch (error) {
          if (sent && !isAnswerOfServer(error)) throw new CommitInDoubtError(error);
          await rollback(() => tx.rollback().execute());
          throw error;
        }
      },
      { signal: deadline.signal },
    );
  return retryRolledBack(attempt, attempts);
}

/** Its failure is no news: the session has ended then, and MySQL has rolled back. */
async function rollback(run: () => Promise<unknown>): Promise<void> {
  await run().catch(() => {});
}

/** What a transaction of two round trips comes to: writes that are committed, or nothing. */
export type TransactionEnd<Result> =
  | { kind: 'commit'; writes: readonly Compilable[]; result: (written: readonly Written[]) => Result }
  | { kind: 'roll back'; result: Result };

/**
 * A transaction of two round trips: the reads, which lock what they must; then, as `decide` says by what they have
 * found, the writes with the commit, or the rollback. `decide` is pure, so no code runs while the locks are held.
 * Throws {@link CommitInDoubtError} when the writes were sent and not answered; after every other error nothing was
 * committed.
 */
export async function inTwoRoundTrips<Result>(
  db: Database,
  reads: readonly Compilable[],
  decide: (rowsOfEachRead: unknown[]) => TransactionEnd<Result>,
  { limitMs = REQUEST_LIMIT_MS, attempts }: TransactionOptions = {},
): Promise<Result> {
  if (db instanceof Transaction) throw new NestedTransactionError();
  const deadline = raisingDeadline(limitMs);
  const attempt = () =>
    db.connection().execute(
      async (connection) => {
        const send = (sql: string, parameters: readonly unknown[] = []) =>
          connection.executeQuery(CompiledQuery.raw(sql, [...parameters]));
        let sent = false;
        try {
          const read = joinQueries(reads);
          const { rows } = await send(`begin;\n${read.sql}`, read.parameters);
          const decision = decide(rows.slice(1));
          if (decision.kind === 'roll back') {
            await send('rollback');
            return decision.result;
          }
          const written = joinQueries(decision.writes);
          deadline.throwIfOver();
          sent = true;
          const answers = await send(`${written.sql};\ncommit`, written.parameters);
          return decision.result(writtenByEach(answers.rows.slice(0, -1)));
        } catch (error) {
          if (sent && !isAnswerOfServer(error)) throw new CommitInDoubtError(error);
          await rollback(() => send('rollback'));
          throw error;
        }
      },
      { signal: deadline.signal },
    );
  return retryRolledBack(attempt, attempts);
}
