import { z } from '@hono/zod-openapi';
import type { Database } from '../../../../db/database.ts';
import { findHost, type HostRecord } from '../../../../db/hosts.ts';
import { notFound } from '../../../errors.ts';

/** The name of a host, in a path. */
export const params = z.object({ name: z.string() });

/** A host as operators see it. */
export const hostSchema = z
  .object({
    name: z.string(),
    region: z.string(),
    state: z.enum(['active', 'gone']),
    anchor_cidr: z.string(),
    last_sequence: z.int().openapi({ description: 'The newest command that was issued to the host.' }),
    unacknowledged_events: z.int().openapi({ description: 'Commands that the host has not acknowledged.' }),
    oldest_unacknowledged_at: z.iso.datetime().nullable(),
    created_at: z.iso.datetime(),
  })
  .openapi('InternalHost');

/** An answer that is a host. */
export const hostAnswerSchema = z.object({ host: hostSchema });

/** The host with this name, as it is now. Throws a 404 when there is none. */
export async function presentHostNamed(db: Database, name: string) {
  const host = await findHost(db, name);
  if (!host) throw notFound();
  return presentHost(host);
}

/** A host in the form of {@link hostSchema}. */
export function presentHost(host: HostRecord): z.infer<typeof hostSchema> {
  return {
    name: host.name,
    region: host.region,
    state: host.state,
    anchor_cidr: host.anchorCidr,
    last_sequence: host.lastSequence,
    unacknowledged_events: host.unacknowledgedCommands,
    oldest_unacknowledged_at: host.oldestUnacknowledgedAt?.toISOString() ?? null,
    created_at: host.createdAt.toISOString(),
  };
}
