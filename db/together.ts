import { type Compilable, CompiledQuery } from 'kysely';
import { z } from 'zod';
import type { DatabaseTransaction } from './database.ts';

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
  return prepareTogether(tx, writes)();
}

/** The same in two steps: everything that needs no server is done at once, and the rest when the result is called. */
export function prepareTogether(tx: DatabaseTransaction, writes: readonly Compilable[]): () => Promise<number[]> {
  const statement = joined(writes);
  return async () => {
    if (writes.length === 0) return [];
    const result = await tx.executeQuery(statement);
    return writes.length === 1 ? [Number(result.numAffectedRows ?? 0n)] : writtenSchema.parse(result.rows);
  };
}

function joined(queries: readonly Compilable[]): CompiledQuery {
  const compiled = queries.map((query) => query.compile());
  return CompiledQuery.raw(
    compiled.map(({ sql }) => sql).join(';\n'),
    compiled.flatMap(({ parameters }) => parameters),
  );
}
