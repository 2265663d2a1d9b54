import ipaddr from 'ipaddr.js';
import type { OperationId } from '../domain/identifiers.ts';
import type { DatabaseTransaction } from './database.ts';
import { findActionOfOperation, insertDropletAction } from './droplet-changes.ts';

/** A droplet to be made. */
export interface NewDroplet {
  accountId: number;
  name: string;
  region: string;
  size: { slug: string; memory: number; vcpus: number; disk: number };
  image: string;
  tags: string[];
  /** Repeating the request under the same id answers the droplet that it has made. */
  operationId: OperationId | undefined;
}

/** The outcome of creating a droplet. */
export type DropletCreation =
  | { kind: 'created'; dropletId: number; actionId: number }
  | { kind: 'region_not_found' }
  | { kind: 'limit_reached' }
  | { kind: 'no_capacity' };

/**
 * Puts a droplet on the active host of its region that has the fewest, with an anchor address of that host's.
 * The lock on the account makes requests of one account follow each other, so that its limit holds and a repeated
 * request finds what the first has made.
 */
export async function createDroplet(tx: DatabaseTransaction, droplet: NewDroplet): Promise<DropletCreation> {
  const { limit, used } = await lockAccount(tx, droplet.accountId);
  const earlier = await findActionOfOperation(tx, droplet.operationId);
  if (earlier?.droplet_id) return { kind: 'created', dropletId: earlier.droplet_id, actionId: earlier.id };
  const region = await tx.selectFrom('regions').select('id').where('slug', '=', droplet.region).executeTakeFirst();
  if (!region) return { kind: 'region_not_found' };
  if (used >= limit) return { kind: 'limit_reached' };
  const place = await takePlace(tx, region.id);
  if (!place) return { kind: 'no_capacity' };
  const { insertId } = await tx
    .insertInto('droplets')
    .values({
      account_id: droplet.accountId,
      region_id: region.id,
      host_id: place.hostId,
      name: droplet.name,
      size_slug: droplet.size.slug,
      image_slug: droplet.image,
      memory: droplet.size.memory,
      vcpus: droplet.size.vcpus,
      disk: droplet.size.disk,
      anchor: place.anchor,
      tags: JSON.stringify(droplet.tags),
    })
    .executeTakeFirstOrThrow();
  const dropletId = Number(insertId);
  const actionId = await insertDropletAction(tx, {
    accountId: droplet.accountId,
    dropletId,
    regionId: region.id,
    type: 'create',
    operationId: droplet.operationId,
  });
  return { kind: 'created', dropletId, actionId };
}

async function lockAccount(tx: DatabaseTransaction, accountId: number): Promise<{ limit: number; used: number }> {
  const account = await tx
    .selectFrom('accounts')
    .select('droplet_limit')
    .where('id', '=', accountId)
    .forUpdate()
    .executeTakeFirstOrThrow();
  const { used } = await tx
    .selectFrom('droplets')
    .select(({ fn }) => fn.countAll<number>().as('used'))
    .where('account_id', '=', accountId)
    .where('deleted_at', 'is', null)
    .executeTakeFirstOrThrow();
  return { limit: account.droplet_limit, used };
}

interface Place {
  hostId: number;
  anchor: Buffer;
}

async function takePlace(tx: DatabaseTransaction, regionId: number): Promise<Place | null> {
  const hosts = await tx
    .selectFrom('hosts')
    .select(({ selectFrom }) => [
      'hosts.id',
      selectFrom('droplets')
        .whereRef('droplets.host_id', '=', 'hosts.id')
        .where('droplets.deleted_at', 'is', null)
        .select(({ fn }) => fn.countAll<number>().as('total'))
        .as('droplets'),
    ])
    .where('hosts.region_id', '=', regionId)
    .where('hosts.state', '=', 'active')
    .orderBy('droplets')
    .orderBy('hosts.id')
    .execute();
  for (const { id } of hosts) {
    const anchor = await takeAnchor(tx, id);
    if (anchor) return { hostId: id, anchor };
  }
  return null;
}

async function takeAnchor(tx: DatabaseTransaction, hostId: number): Promise<Buffer | null> {
  const host = await tx
    .selectFrom('hosts')
    .select(['anchor_cidr', 'next_anchor'])
    .where('id', '=', hostId)
    .where('state', '=', 'active')
    .forUpdate()
    .executeTakeFirst();
  if (!host) return null;
  const living = await tx
    .selectFrom('droplets')
    .select('anchor')
    .where('host_id', '=', hostId)
    .where('deleted_at', 'is', null)
    .execute();
  const taken = new Set(living.map(({ anchor }) => anchor.readUInt32BE(0)));
  const { first, count } = anchorRange(host.anchor_cidr);
  for (let step = 0; step < Math.min(count, taken.size + 1); step++) {
    const position = (host.next_anchor + step) % count;
    if (taken.has(first + position)) continue;
    await tx
      .updateTable('hosts')
      .set({ next_anchor: (position + 1) % count })
      .where('id', '=', hostId)
      .execute();
    const anchor = Buffer.alloc(4);
    anchor.writeUInt32BE(first + position);
    return anchor;
  }
  return null;
}

/** All of a host's range but its network address, its gateway (the first) and its broadcast address. */
function anchorRange(cidr: string): { first: number; count: number } {
  const [network, prefix] = ipaddr.IPv4.parseCIDR(cidr);
  const start = Buffer.from(network.toByteArray()).readUInt32BE(0);
  return { first: start + 2, count: Math.max(0, 2 ** (32 - prefix) - 3) };
}
