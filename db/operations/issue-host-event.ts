import { sql } from 'kysely';
import { addressToBytes } from '../../domain/address.ts';
import type { Generation, HostChange } from '../../domain/host-event.ts';
import type { OperationId } from '../../domain/identifiers.ts';
import type { DatabaseTransaction } from '../database.ts';
import type { DropletPlace, LockedAddress } from './records.ts';

/** A host by number and name. */
export interface HostReference {
  id: number;
  name: string;
}

/** What a host is to be told. */
export interface NewHostEvent {
  operationId: OperationId;
  host: HostReference;
  address: LockedAddress;
  generation: Generation;
  change: HostChange;
  /** The droplet to attach to; null for a detach. */
  droplet: DropletPlace | null;
}

/** The host a droplet runs on. */
export function hostOf(droplet: DropletPlace): HostReference {
  return { id: droplet.host_id, name: droplet.host };
}

/**
 * Inserts events for hosts. Each host's row is locked from here to the commit, so that its sequence has no gaps and
 * becomes visible in order; therefore this comes last in a transaction, and hosts are taken in one order everywhere.
 */
export async function issueHostEvents(tx: DatabaseTransaction, events: NewHostEvent[]): Promise<void> {
  for (const event of [...events].sort((left, right) => left.host.id - right.host.id)) {
    const { insertId } =
      await sql`UPDATE hosts SET last_sequence = LAST_INSERT_ID(last_sequence + 1) WHERE id = ${event.host.id}`.execute(
        tx,
      );
    await tx
      .insertInto('host_events')
      .values({
        host_id: event.host.id,
        sequence: Number(insertId),
        operation_id: event.operationId,
        address_id: event.address.id,
        address: addressToBytes(event.address.address),
        change: event.change,
        generation: event.generation,
        droplet_id: event.droplet?.id ?? null,
        anchor: event.droplet?.anchor ?? null,
        issued_at: event.address.now,
        acknowledged_at: null,
        outcome: null,
        message: null,
      })
      .execute();
  }
}
