import { sql } from 'kysely';
import { queryLimit } from './bounded.ts';
import type { Database } from './database.ts';

/** When and from where a token was used last. */
export interface TokenUse {
  tokenId: number;
  at: Date;
  from: string;
}

const TABLES = { customer: 'tokens', host: 'host_tokens', operator: 'operator_tokens' } as const;

/** Writes when tokens of one kind were used last, in one statement. A later use that another process wrote stays. */
export async function writeTokenUses(
  db: Database,
  kind: keyof typeof TABLES,
  uses: readonly TokenUse[],
): Promise<void> {
  if (uses.length === 0) return;
  const times = uses.map(({ tokenId, at }) => sql`WHEN ${tokenId} THEN ${at}`);
  const origins = uses.map(({ tokenId, from }) => sql`WHEN ${tokenId} THEN ${from}`);
  const at = sql<Date>`CASE id ${sql.join(times, sql` `)} END`;
  // The origin before the time: MySQL assigns from left to right, and compares with what the row has by then.
  await sql`
    UPDATE ${sql.table(TABLES[kind])}
    SET last_used_from = IF(last_used_at IS NULL OR last_used_at < ${at}, CASE id ${sql.join(origins, sql` `)} END, last_used_from),
        last_used_at = GREATEST(COALESCE(last_used_at, ${at}), ${at})
    WHERE id IN (${sql.join(uses.map(({ tokenId }) => tokenId))})`.execute(db, queryLimit());
}
