import { sql } from 'kysely';
import type { Database } from '../../../db/database.ts';

/** As many as one batch of acknowledgments may have. */
const EVENTS = 500;

/**
 * Gives a host commands about as many addresses, each of them answered and of its address's present generation, as a host
 * has that carries so many. They are what costs the most to acknowledge again.
 */
export async function giveAnsweredCommands(
  db: Database,
  hostName: string,
): Promise<{ sequence: number; generation: number }[]> {
  const host = await db.selectFrom('hosts').select('id').where('name', '=', hostName).executeTakeFirstOrThrow();
  const operation = await db.selectFrom('operations').select('id').limit(1).executeTakeFirstOrThrow();
  const addresses = await db
    .selectFrom('addresses')
    .select(['id', 'address', 'generation'])
    .where('state', '=', 'free')
    .orderBy('id', 'desc')
    .limit(EVENTS)
    .execute();
  const events = addresses.map(({ id, address, generation }, index) => ({
    host_id: host.id,
    sequence: index + 1,
    operation_id: operation.id,
    address_id: id,
    address,
    change: 'detach' as const,
    generation,
    droplet_id: null,
    anchor: null,
    issued_at: new Date(),
    acknowledged_at: new Date(),
    outcome: 'applied' as const,
    message: null,
  }));
  await db.insertInto('host_events').values(events).execute();
  await sql`UPDATE hosts SET last_sequence = ${events.length} WHERE id = ${host.id}`.execute(db);
  return events.map(({ sequence, generation }) => ({ sequence, generation }));
}
