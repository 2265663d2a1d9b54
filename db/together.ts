import { type Compilable, CompiledQuery } from 'kysely';
import { z } from 'zod';
import type { DatabaseTransaction } from './database.ts';
import { AND_COMMIT } from './short-transactions.ts';

/*
 * Several statements in one round trip. A round trip between two processes that were just idle costs more than most
 * statements here, so what a transaction can ask at once, it asks at once.
 */

type RowsOf<Queries> = { [Index in keyof Queries]: Queries[Index] extends Compilable<infer Row> ? Row[] : never };

/** Runs queries one after the other on the server; answers the rows of each. At least two. */
export async function readTogether<const Queries extends readonly [Compilable, Compilable, ...Compilable[]]>(
  tx: DatabaseTransaction,
  queries: Queries,
): Promise<RowsOf<Queries>> {
  const { rows } = await tx.executeQuery(joined(queries));
  // The driver answers one list of rows for each statement, in their order; Kysely knows of single statements only.
  return rows as RowsOf<Queries>;
}

const writtenSchema = z
  .array(z.object({ affectedRows: z.int() }))
  .transform((results) => results.map(({ affectedRows }) => affectedRows));

/** Runs writes one after the other on the server; answers how many rows each matched. */
export async function writeTogether(tx: DatabaseTransaction, writes: readonly Compilable[]): Promise<number[]> {
  if (writes.length === 0) return [];
  const result = await tx.executeQuery(joined(writes));
  return writes.length === 1 ? [Number(result.numAffectedRows ?? 0n)] : writtenSchema.parse(result.rows);
}

/**
 * Prepares the last writes of a transaction: everything that needs no server is done at once, and the rest when the
 * result is called, the commit with it. When one of them fails, nothing is committed.
 */
export function prepareLastWrites(tx: DatabaseTransaction, writes: readonly Compilable[]): () => Promise<void> {
  const { sql, parameters } = joined(writes);
  const statement = CompiledQuery.raw(`${sql}${AND_COMMIT}`, [...parameters]);
  return async () => {
    await tx.executeQuery(statement);
  };
}

function joined(queries: readonly Compilable[]): CompiledQuery {
  const compiled = queries.map((query) => query.compile());
  return CompiledQuery.raw(
    compiled.map(({ sql }) => sql).join(';\n'),
    compiled.flatMap(({ parameters }) => parameters),
  );
}
