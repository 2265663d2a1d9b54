import { type Kysely, sql } from 'kysely';

/** Finds the actions that ended lately, for audits that look at what changed. */
export async function up(db: Kysely<unknown>): Promise<void> {
  // MySQL knows no IF NOT EXISTS for an index, and an earlier try may have made it.
  const { rows } = await sql`
    SELECT 1 FROM information_schema.statistics
    WHERE table_schema = DATABASE() AND table_name = 'actions' AND index_name = 'actions_completed'`.execute(db);
  if (rows.length === 0) await sql`ALTER TABLE actions ADD INDEX actions_completed (completed_at, id)`.execute(db);
}
