import { type Kysely, sql } from 'kysely';

/*
 * An operation is admitted in one transaction, which leaves a row here; whoever starts its workflow takes the row away.
 * Safe on a live system: processes of the version before write none of this, and need none of it.
 */

const TABLE = `
  CREATE TABLE IF NOT EXISTS outbox (
    operation_id CHAR(36) NOT NULL PRIMARY KEY,
    due_at DATETIME(3) NOT NULL,
    settled TINYINT(1) NOT NULL,
    bills TINYINT(1) NOT NULL DEFAULT 0,
    KEY outbox_due (settled, due_at)
  )`;

/** What was read out of the JSON of an operation before. */
const COLUMNS = {
  decision: `VARCHAR(16) GENERATED ALWAYS AS (JSON_UNQUOTE(JSON_EXTRACT(verdict, '$.kind'))) VIRTUAL`,
  destroys_droplet_id: 'BIGINT UNSIGNED NULL',
  visible_wait: 'TINYINT(1) NULL',
};

/** The operations that are open now. */
const BACKFILL = `
  UPDATE operations
  JOIN actions ON actions.operation_id = operations.id AND actions.status = 'in-progress'
  SET operations.destroys_droplet_id = JSON_EXTRACT(operations.request, '$.destroysDropletId')
  WHERE operations.kind = 'unassign' AND JSON_TYPE(JSON_EXTRACT(operations.request, '$.destroysDropletId')) = 'INTEGER'`;

/** The outbox, and columns for what rules ask of an operation. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(TABLE).execute(db);
  for (const [name, definition] of Object.entries(COLUMNS)) {
    const { rows } = await sql`
      SELECT 1 FROM information_schema.columns
      WHERE table_schema = DATABASE() AND table_name = 'operations' AND column_name = ${name}`.execute(db);
    if (rows.length === 0) await sql.raw(`ALTER TABLE operations ADD COLUMN ${name} ${definition}`).execute(db);
  }
  await sql.raw(BACKFILL).execute(db);
}
