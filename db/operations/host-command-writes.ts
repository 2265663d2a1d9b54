import type { Compilable } from 'kysely';
import { addressToBytes } from '../../domain/address.ts';
import { anchorFor } from '../../domain/anchor.ts';
import type { HostCommand } from '../../domain/decision.ts';
import type { Generation, HostChange } from '../../domain/host-protocol.ts';
import type { OperationId } from '../../domain/identifiers.ts';
import type { HostState } from '../schema.ts';
import { statement } from '../statement.ts';
import type { DropletPlace, LockedAddress } from './locks.ts';

/** What a host is to be told. */
export interface NewHostCommand {
  operationId: OperationId;
  host: { id: number; name: string; state: HostState };
  address: LockedAddress;
  generation: Generation;
  change: HostChange;
  /** The droplet to attach to; null for a detach. */
  droplet: DropletPlace | null;
}

/** From where to where an address goes; null is nowhere. */
export interface Move {
  from: DropletPlace | null;
  to: DropletPlace | null;
}

/**
 * The commands that move an address from one droplet to another, or to or from none. On one and the same host the attach
 * replaces what was there before. A host that is gone is told too, for when it returns, but nobody waits for it.
 */
export function moveCommands(
  operationId: OperationId,
  address: LockedAddress,
  generation: Generation,
  { from, to }: Move,
): NewHostCommand[] {
  const commands: NewHostCommand[] = [];
  if (to) {
    commands.push({ operationId, host: hostOf(to), address, generation, change: 'attach', droplet: to });
  }
  if (from && from.hostId !== to?.hostId) {
    commands.push({ operationId, host: hostOf(from), address, generation, change: 'detach', droplet: null });
  }
  return commands;
}

function hostOf({ hostId, host, hostState }: DropletPlace): NewHostCommand['host'] {
  return { id: hostId, name: host, state: hostState };
}

/** What an operation waits for of these commands: a host that is gone is told for when it returns. */
export function awaitedCommands(commands: readonly NewHostCommand[]): HostCommand[] {
  return commands
    .filter(({ host }) => host.state === 'active')
    .map(({ host, change, address: { address }, generation }) => ({ host: host.name, change, address, generation }));
}

/**
 * The writes that insert commands for hosts. Each host's row is locked from here to the commit, so that its sequence has
 * no gaps and becomes visible in order; therefore these come last in a transaction, and hosts are taken in one order
 * everywhere.
 */
export function hostCommandQueries(commands: readonly NewHostCommand[]): Compilable[] {
  return commands
    .toSorted((left, right) => left.host.id - right.host.id)
    .flatMap(({ operationId, host, address, generation, change, droplet }) => [
      statement`UPDATE hosts SET last_sequence = LAST_INSERT_ID(last_sequence + 1) WHERE id = ${host.id}`,
      statement`
        INSERT INTO host_events
          (host_id, sequence, operation_id, address_id, address, \`change\`, generation, droplet_id, anchor, issued_at)
        VALUES (${host.id}, LAST_INSERT_ID(), ${operationId}, ${address.id}, ${addressToBytes(address.address)},
                ${change}, ${generation}, ${droplet?.id ?? null},
                ${droplet && addressToBytes(anchorFor(address.ipVersion, droplet.anchor))}, ${address.now})`,
    ]);
}
