import { type Compilable, sql } from 'kysely';
import { addressToBytes } from '../../domain/address.ts';
import { anchorFor } from '../../domain/anchor.ts';
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
 * The writes that insert events for hosts. Each host's row is locked from here to the commit, so that its sequence has
 * no gaps and becomes visible in order; therefore these come last in a transaction, and hosts are taken in one order
 * everywhere.
 */
export function issuingHostEvents(tx: DatabaseTransaction, events: NewHostEvent[]): Compilable[] {
  return events
    .toSorted((left, right) => left.host.id - right.host.id)
    .flatMap((event) => [
      tx
        .updateTable('hosts')
        .set({ last_sequence: sql<number>`LAST_INSERT_ID(last_sequence + 1)` })
        .where('id', '=', event.host.id),
      tx.insertInto('host_events').values({
        host_id: event.host.id,
        sequence: sql<number>`LAST_INSERT_ID()`,
        operation_id: event.operationId,
        address_id: event.address.id,
        address: addressToBytes(event.address.address),
        change: event.change,
        generation: event.generation,
        droplet_id: event.droplet?.id ?? null,
        anchor: event.droplet && addressToBytes(anchorFor(event.address.family, event.droplet.anchor)),
        issued_at: event.address.now,
        acknowledged_at: null,
        outcome: null,
        message: null,
      }),
    ]);
}
