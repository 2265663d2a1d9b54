import { sql } from 'kysely';
import { type Address, addressFromBytes } from '../domain/address.ts';
import type { HostChange } from '../domain/host-protocol.ts';
import { queryLimit } from './bounded.ts';
import type { Database, DatabaseTransaction } from './database.ts';
import type { HostState } from './schema.ts';

/** Who a host token stands for. */
export interface HostIdentity {
  id: number;
  name: string;
  state: HostState;
  tokenId: number;
}

function selectHostTokens(db: Database) {
  return db
    .selectFrom('host_tokens')
    .innerJoin('hosts', 'hosts.id', 'host_tokens.host_id')
    .select(['host_tokens.hash', 'host_tokens.id as tokenId', 'hosts.id', 'hosts.name', 'hosts.state'])
    .where('host_tokens.revoked_at', 'is', null);
}

/** The host with this token hash, unless the token is revoked. */
export async function findHostByToken(db: Database, hash: Buffer): Promise<HostIdentity | null> {
  const row = await selectHostTokens(db).where('host_tokens.hash', '=', hash).executeTakeFirst(queryLimit());
  return row ? { id: row.id, name: row.name, state: row.state, tokenId: row.tokenId } : null;
}

/** Every host token that is not revoked. */
export async function listHostTokens(db: Database): Promise<{ hash: Buffer; host: HostIdentity }[]> {
  const rows = await selectHostTokens(db).execute(queryLimit());
  return rows.map(({ hash, ...host }) => ({ hash, host }));
}

/** A host as operators see it. */
export interface HostRecord {
  name: string;
  region: string;
  state: HostState;
  anchorCidr: string;
  lastSequence: number;
  unacknowledgedCommands: number;
  /** When the oldest event without an answer was issued. */
  oldestUnacknowledgedAt: Date | null;
  createdAt: Date;
}

function selectHosts(db: Database) {
  return db
    .selectFrom('hosts')
    .innerJoin('regions', 'regions.id', 'hosts.region_id')
    .leftJoin('host_events', (join) =>
      join.onRef('host_events.host_id', '=', 'hosts.id').on('host_events.acknowledged_at', 'is', null),
    )
    .select(({ fn }) => [
      'hosts.name',
      'regions.slug as region',
      'hosts.state',
      'hosts.anchor_cidr as anchorCidr',
      'hosts.last_sequence as lastSequence',
      fn.count<number>('host_events.sequence').as('unacknowledgedCommands'),
      fn.min<Date | null>('host_events.issued_at').as('oldestUnacknowledgedAt'),
      'hosts.created_at as createdAt',
    ])
    .groupBy([
      'hosts.id',
      'hosts.name',
      'hosts.state',
      'hosts.anchor_cidr',
      'hosts.last_sequence',
      'hosts.created_at',
      'regions.slug',
    ]);
}

/** All hosts, by name. */
export async function listHosts(db: Database): Promise<HostRecord[]> {
  return selectHosts(db).orderBy('hosts.name').execute();
}

/** The host with this name. */
export async function findHost(db: Database, name: string): Promise<HostRecord | null> {
  return (await selectHosts(db).where('hosts.name', '=', name).executeTakeFirst()) ?? null;
}

/** What became of registering a host; one that carries droplets stays where it is, with the anchors it has. */
export type HostRegistration = 'registered' | 'region_not_found' | 'carries_droplets';

/** Registers a host, or changes one that carries no droplet yet. Repeating it changes nothing. */
export async function registerHost(
  tx: DatabaseTransaction,
  host: { name: string; region: string; anchorCidr: string },
): Promise<HostRegistration> {
  const region = await tx.selectFrom('regions').select('id').where('slug', '=', host.region).executeTakeFirst();
  if (!region) return 'region_not_found';
  await tx
    .insertInto('hosts')
    .ignore()
    .values({
      name: host.name,
      region_id: region.id,
      state: 'active',
      anchor_cidr: host.anchorCidr,
      next_anchor: 0,
      last_sequence: 0,
    })
    .execute();
  const present = await tx
    .selectFrom('hosts')
    .select(['id', 'region_id', 'anchor_cidr'])
    .where('name', '=', host.name)
    .forUpdate()
    .executeTakeFirstOrThrow();
  if (present.region_id === region.id && present.anchor_cidr === host.anchorCidr) return 'registered';
  const droplet = await tx
    .selectFrom('droplets')
    .select('id')
    .where('host_id', '=', present.id)
    .limit(1)
    .executeTakeFirst();
  if (droplet) return 'carries_droplets';
  await tx
    .updateTable('hosts')
    .set({ region_id: region.id, anchor_cidr: host.anchorCidr, next_anchor: 0 })
    .where('id', '=', present.id)
    .execute();
  return 'registered';
}

/** Stores a host's token by its hash; false when there is no such host. */
export async function addHostToken(db: Database, name: string, hash: Buffer): Promise<boolean> {
  const result = await db
    .insertInto('host_tokens')
    .columns(['host_id', 'hash'])
    .expression((where) =>
      where
        .selectFrom('hosts')
        .select(['hosts.id', sql<Buffer>`${hash}`.as('hash')])
        .where('hosts.name', '=', name),
    )
    .executeTakeFirstOrThrow();
  return Number(result.numInsertedOrUpdatedRows ?? 0) > 0;
}

/** Revokes all tokens of a host and answers how many; null when there is no such host. */
export async function revokeHostTokens(db: Database, name: string): Promise<number | null> {
  const host = await db.selectFrom('hosts').select('id').where('name', '=', name).executeTakeFirst();
  if (!host) return null;
  const result = await db
    .updateTable('host_tokens')
    .set({ revoked_at: sql<Date>`NOW(3)` })
    .where('host_id', '=', host.id)
    .where('revoked_at', 'is', null)
    .executeTakeFirstOrThrow();
  return Number(result.numUpdatedRows);
}

/** An event that a host can no longer answer, and what was recorded in its stead. */
export interface OrphanedCommand {
  workflowId: string;
  operationId: string;
  change: HostChange;
  address: Address;
  outcome: 'applied' | 'failed';
  message: string;
}

const GONE_MESSAGE = 'an operator declared the host gone';

/**
 * Marks a host as gone and answers its open events for it: it cannot carry an address any more, so detaches have come
 * true, and attaches have failed. Null when there is no such host; repeating it takes up events that came since.
 */
export async function declareHostGone(tx: DatabaseTransaction, name: string): Promise<OrphanedCommand[] | null> {
  const hostId = await setHostState(tx, name, 'gone');
  if (hostId === null) return null;
  const open = await tx
    .selectFrom('host_events')
    .innerJoin('operations', 'operations.id', 'host_events.operation_id')
    .select([
      'operations.workflow_id as workflowId',
      'operations.id as operationId',
      'host_events.change',
      'host_events.address',
    ])
    .where('host_events.host_id', '=', hostId)
    .where('host_events.acknowledged_at', 'is', null)
    .orderBy('host_events.sequence')
    .execute();
  await tx
    .updateTable('host_events')
    .set({
      acknowledged_at: sql<Date>`NOW(3)`,
      outcome: sql<'applied' | 'failed'>`IF(\`change\` = 'detach', 'applied', 'failed')`,
      message: GONE_MESSAGE,
    })
    .where('host_id', '=', hostId)
    .where('acknowledged_at', 'is', null)
    .execute();
  return open.map(({ address, ...event }) => ({
    ...event,
    address: addressFromBytes(address),
    outcome: event.change === 'detach' ? 'applied' : 'failed',
    message: GONE_MESSAGE,
  }));
}

/** Takes a host that was gone back into service; false when there is no such host. */
export async function declareHostReturned(tx: DatabaseTransaction, name: string): Promise<boolean> {
  return (await setHostState(tx, name, 'active')) !== null;
}

/** Holds the host's row, and with it its sequence, until the transaction ends. */
async function setHostState(tx: DatabaseTransaction, name: string, state: HostState): Promise<number | null> {
  const host = await tx.selectFrom('hosts').select('id').where('name', '=', name).forUpdate().executeTakeFirst();
  if (!host) return null;
  await tx.updateTable('hosts').set({ state }).where('id', '=', host.id).execute();
  return host.id;
}
