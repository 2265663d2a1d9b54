import { type Kysely, sql } from 'kysely';

/*
 * Each ALTER is one statement, which is done as a whole or not at all, and blocks neither readers nor writers: it fails
 * rather than to lock the table.
 */

const ADDITIONS = [
  {
    table: 'addresses',
    column: 'released_by',
    // By account, what it holds and what it has in cooldown: both are counted from the index alone.
    changes: `ADD COLUMN released_by INT UNSIGNED NULL,
      ADD INDEX addresses_held (account_id, family, region_id, state),
      ADD INDEX addresses_released (released_by, family, region_id, state, available_at)`,
  },
  {
    table: 'accounts',
    column: 'pool_share_held_percent',
    changes: `ADD COLUMN pool_share_held_percent SMALLINT UNSIGNED NULL,
      ADD COLUMN pool_share_per_hour_percent SMALLINT UNSIGNED NULL`,
  },
];

/** Who released an address that is in cooldown, and which shares of a pool an operator gave an account. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const { table, column, changes } of ADDITIONS) {
    // MySQL knows no IF NOT EXISTS for a column, and an earlier try may have made it.
    const { rows } = await sql`
      SELECT 1 FROM information_schema.columns
      WHERE table_schema = DATABASE() AND table_name = ${table} AND column_name = ${column}`.execute(db);
    if (rows.length > 0) continue;
    await sql.raw(`ALTER TABLE ${table} ${changes}, ALGORITHM=INPLACE, LOCK=NONE`).execute(db);
  }
}
