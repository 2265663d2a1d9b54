import { createPool, type Pool, type PoolConnection, type ResultSetHeader, type RowDataPacket } from 'mysql2/promise';
import { z } from 'zod';
import type { Admitted, Decision, OperationRequest } from './operation.ts';

/*
 * What every peer writes to MySQL, in the fewest round trips there are: two to admit, one to settle.
 */

/** As many connections as the control plane has by default. */
const POOL_SIZE = 20;

/** Opens the pool of one peer. */
export function openPeerDatabase(url: string, connectionLimit = POOL_SIZE): Pool {
  return createPool({
    uri: url,
    connectionLimit,
    maxIdle: connectionLimit,
    timezone: 'Z',
    multipleStatements: true,
    stringifyObjects: true,
  });
}

const lockedAddressSchema = z.object({
  id: z.int(),
  accountId: z.int(),
  generation: z.int(),
  pendingActionId: z.int().nullable(),
  currentDropletId: z.int().nullable(),
  placeId: z.int().nullable(),
  hostUrl: z.string().nullable(),
});
type LockedAddress = z.infer<typeof lockedAddressSchema>;

const knownActionSchema = z.object({ id: z.int(), addressId: z.int(), generation: z.int(), hostUrl: z.string() });

const LOCK = `
  START TRANSACTION;
  SELECT addresses.id, addresses.account_id AS accountId, addresses.generation,
         addresses.pending_action_id AS pendingActionId, addresses.droplet_id AS currentDropletId,
         droplets.id AS placeId, droplets.host_url AS hostUrl
    FROM addresses LEFT JOIN droplets ON droplets.id = COALESCE(?, addresses.droplet_id)
   WHERE addresses.address = INET6_ATON(?)
     FOR UPDATE;
  SELECT actions.id, actions.address_id AS addressId, host_commands.generation, droplets.host_url AS hostUrl
    FROM actions
    JOIN host_commands ON host_commands.operation_id = actions.operation_id
    JOIN droplets ON droplets.id = actions.droplet_id
   WHERE actions.operation_id = ?`;

const ADMIT = `
  INSERT INTO actions (operation_id, account_id, address_id, droplet_id, type, status, started_at)
       VALUES (?, ?, ?, ?, ?, 'in-progress', NOW(3));
  UPDATE addresses
     SET generation = generation + 1, pending_action_id = LAST_INSERT_ID(), last_action_id = LAST_INSERT_ID(),
         target_droplet_id = ?
   WHERE id = ? AND pending_action_id IS NULL;
  INSERT INTO host_commands (operation_id, address_id, \`change\`, generation, droplet_id, issued_at)
       VALUES (?, ?, ?, ?, ?, NOW(3));
  COMMIT`;

const SETTLE = `
  START TRANSACTION;
  UPDATE addresses
     SET droplet_id = target_droplet_id, target_droplet_id = NULL, pending_action_id = NULL, changed_at = NOW(3)
   WHERE id = ? AND pending_action_id = ?;
  UPDATE actions SET status = 'completed', completed_at = NOW(3) WHERE id = ? AND status = 'in-progress';
  UPDATE host_commands SET acknowledged_at = NOW(3) WHERE operation_id = ? AND acknowledged_at IS NULL;
  SELECT completed_at AS completedAt FROM actions WHERE id = ?;
  COMMIT`;

/** Decides on an operation and writes what was decided, in one transaction. Repeating it answers the same. */
export async function admit(pool: Pool, request: OperationRequest): Promise<Decision> {
  return withConnection(pool, async (connection) => {
    const { operationId, address, dropletId, accountId } = request;
    const [found] = await connection.query<RowDataPacket[][]>(LOCK, [dropletId, address, operationId]);
    const known = knownActionSchema.optional().parse(found[2]?.[0]);
    if (known) {
      await connection.query('ROLLBACK');
      return admitted(known.id, known);
    }
    const locked = lockedAddressSchema.optional().parse(found[1]?.[0]);
    const place = placeOf(request, locked);
    if ('kind' in place) {
      await connection.query('ROLLBACK');
      return place;
    }
    const { id: addressId } = place;
    const generation = place.generation + 1;
    const [type, change] = dropletId === null ? ['unassign_ip', 'detach'] : ['assign_ip', 'attach'];
    const [written] = await connection.query<ResultSetHeader[]>(ADMIT, [
      ...[operationId, accountId, addressId, place.placeId, type],
      ...[dropletId, addressId],
      ...[operationId, addressId, change, generation, place.placeId],
    ]);
    return admitted(written[0]?.insertId ?? 0, { addressId, generation, hostUrl: place.hostUrl });
  });
}

/** Writes that the host has done it, and when; repeating it changes nothing and answers the same. */
export async function settle(
  pool: Pool,
  request: OperationRequest,
  { actionId, addressId }: Admitted,
): Promise<string> {
  return withConnection(pool, async (connection) => {
    const values = [addressId, actionId, actionId, request.operationId, actionId];
    const [results] = await connection.query<RowDataPacket[][]>(SETTLE, values);
    return z.object({ completedAt: z.date() }).parse(results[4]?.[0]).completedAt.toISOString();
  });
}

function admitted(actionId: number, rest: { addressId: number; generation: number; hostUrl: string }): Admitted {
  return { kind: 'admitted', actionId, addressId: rest.addressId, generation: rest.generation, hostUrl: rest.hostUrl };
}

/** The address with the droplet whose host is to be told, or why there is nothing to do. */
function placeOf(
  { accountId, dropletId }: OperationRequest,
  locked: LockedAddress | undefined,
): Decision | { id: number; generation: number; placeId: number; hostUrl: string } {
  if (locked?.accountId !== accountId) return { kind: 'rejected', reason: 'address_not_found' };
  const { id, generation, placeId, hostUrl } = locked;
  if (locked.pendingActionId !== null) return { kind: 'rejected', reason: 'address_pending' };
  if (locked.currentDropletId === dropletId) return { kind: 'rejected', reason: 'already_there' };
  if (placeId === null || hostUrl === null) return { kind: 'rejected', reason: 'droplet_not_found' };
  return { id, generation, placeId, hostUrl };
}

/** Lends a connection; one on which anything failed is closed, which rolls its transaction back. */
async function withConnection<T>(pool: Pool, use: (connection: PoolConnection) => Promise<T>): Promise<T> {
  const connection = await pool.getConnection();
  try {
    const result = await use(connection);
    connection.release();
    return result;
  } catch (error) {
    connection.destroy();
    throw error;
  }
}
