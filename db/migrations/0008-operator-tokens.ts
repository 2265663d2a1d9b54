import { type Kysely, sql } from 'kysely';

const TOKEN_TABLES = ['tokens', 'host_tokens'] as const;

/** Tokens of operators by name, and of every token when and from where it was used last. May be run again. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    CREATE TABLE IF NOT EXISTS operator_tokens (
      id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
      name VARCHAR(63) NOT NULL,
      hash BINARY(32) NOT NULL,
      created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
      last_used_at DATETIME(3) NULL,
      last_used_from VARCHAR(64) NULL,
      revoked_at DATETIME(3) NULL,
      UNIQUE KEY operator_tokens_hash (hash),
      KEY operator_tokens_name (name)
    )`.execute(db);
  for (const table of TOKEN_TABLES) {
    // MySQL knows no IF NOT EXISTS for a column, and an earlier try may have made it.
    const { rows } = await sql`
      SELECT 1 FROM information_schema.columns
      WHERE table_schema = DATABASE() AND table_name = ${table} AND column_name = 'last_used_at'`.execute(db);
    if (rows.length > 0) continue;
    await sql`
      ALTER TABLE ${sql.table(table)}
        ADD COLUMN last_used_at DATETIME(3) NULL,
        ADD COLUMN last_used_from VARCHAR(64) NULL`.execute(db);
  }
}
