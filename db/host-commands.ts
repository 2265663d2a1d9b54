import { sql } from 'kysely';
import { addressFromBytes } from '../domain/address.ts';
import type { HostChange, IssuedHostCommand } from '../domain/host-protocol.ts';
import { queryLimit } from './bounded.ts';
import type { Database } from './database.ts';

/** Which commands of a host are wanted: the first `limit` unacknowledged ones after a sequence. */
export interface OpenCommandsRequest {
  hostId: number;
  after: number;
  limit: number;
}

interface CommandRow {
  request: number;
  sequence: number;
  change: HostChange;
  address: Buffer;
  generation: number;
  droplet_id: number | null;
  anchor: Buffer | null;
  issued_at: Date;
}

/** Answers all requests by one query, in their order; the commands of each are in the order of their sequence. */
export async function listOpenCommands(db: Database, requests: OpenCommandsRequest[]): Promise<IssuedHostCommand[][]> {
  const answers: IssuedHostCommand[][] = requests.map(() => []);
  if (requests.length === 0) return answers;
  const selects = requests.map(
    ({ hostId, after, limit }, index) => sql`
      (SELECT ${sql.lit(index)} AS request, sequence, \`change\`, address, generation, droplet_id, anchor, issued_at
       FROM host_events
       WHERE host_id = ${hostId} AND acknowledged_at IS NULL AND sequence > ${after}
       ORDER BY sequence LIMIT ${sql.lit(limit)})`,
  );
  const { rows } = await sql<CommandRow>`${sql.join(selects, sql` UNION ALL `)}`.execute(db, queryLimit());
  for (const row of rows) answers[row.request]?.push(toIssuedHostCommand(row));
  for (const commands of answers) commands.sort((left, right) => left.sequence - right.sequence);
  return answers;
}

function toIssuedHostCommand(row: CommandRow): IssuedHostCommand {
  return {
    sequence: row.sequence,
    change: row.change,
    address: addressFromBytes(row.address),
    generation: row.generation,
    dropletId: row.droplet_id,
    anchor: row.anchor === null ? null : addressFromBytes(row.anchor),
    issuedAt: row.issued_at.toISOString(),
  };
}
