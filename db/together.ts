import { type Compilable, CompiledQuery } from 'kysely';
import { z } from 'zod';
import type { DatabaseTransaction } from './database.ts';

/*
 * Several statements in one round trip. A round trip between two processes that were just idle costs more than most
 * statements here, so what a transaction can ask at once, it asks at once.
 */

/** The rows of each of several queries. */
export type RowsOf<Queries> = {
  [Index in keyof Queries]: Queries[Index] extends Compilable<infer Row> ? Row[] : never;
};

/** What one write did. */
export interface Written {
  affectedRows: number;
  /** The number that the database gave the new row; 0 where there is none. */
  insertId: number;
}

/** Runs queries one after the other on the server; answers the rows of each. At least two. */
export async function readTogether<const Queries extends readonly [Compilable, Compilable, ...Compilable[]]>(
  tx: DatabaseTransaction,
  queries: Queries,
): Promise<RowsOf<Queries>> {
  const { rows } = await tx.executeQuery(joinQueries(queries));
  return rowsOfEach<Queries>(rows);
}

/** Runs writes one after the other on the server; answers how many rows each matched. */
export async function writeTogether(tx: DatabaseTransaction, writes: readonly Compilable[]): Promise<number[]> {
  if (writes.length === 0) return [];
  const result = await tx.executeQuery(joinQueries(writes));
  if (writes.length === 1) return [Number(result.numAffectedRows ?? 0n)];
  return writtenByEach(result.rows).map(({ affectedRows }) => affectedRows);
}

/** Several statements as one. */
export function joinQueries(queries: readonly Compilable[]): CompiledQuery {
  const compiled = queries.map((query) => query.compile());
  return CompiledQuery.raw(
    compiled.map(({ sql }) => sql).join(';\n'),
    compiled.flatMap(({ parameters }) => parameters),
  );
}

/** The driver answers one list of rows for each statement, in their order; Kysely knows of single statements only. */
export function rowsOfEach<Queries>(answers: unknown[]): RowsOf<Queries> {
  return answers as RowsOf<Queries>;
}

const writtenSchema = z.array(z.object({ affectedRows: z.int(), insertId: z.int() }));

/** What each of several writes did, as the driver answers it. */
export function writtenByEach(answers: unknown[]): Written[] {
  return writtenSchema.parse(answers);
}
