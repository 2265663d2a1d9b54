import { type Kysely, sql } from 'kysely';

/** Finds what a host said it could not do, without looking at everything it was ever told. */
export async function up(db: Kysely<unknown>): Promise<void> {
  // MySQL knows no IF NOT EXISTS for an index, and an earlier try may have made it.
  const { rows } = await sql`
    SELECT 1 FROM information_schema.statistics
    WHERE table_schema = DATABASE() AND table_name = 'host_events' AND index_name = 'host_events_outcome'`.execute(db);
  if (rows.length === 0)
    await sql`ALTER TABLE host_events ADD INDEX host_events_outcome (host_id, outcome)`.execute(db);
}
