import type { Compilable, Updateable } from 'kysely';
import { type Address, addressToBytes } from '../../domain/address.ts';
import type { RejectionReason } from '../../domain/decision.ts';
import type { ReleaseOperation } from '../../domain/operation.ts';
import { rejectionOfRelease } from '../../domain/operations/release.ts';
import type { AddressesTable, HostState } from '../schema.ts';
import { statement } from '../statement.ts';
import { admitBy } from './admission.ts';
import type { OperationWrites } from './kind.ts';
import {
  addressQuery,
  effectiveTime,
  type LockedAddress,
  nextGeneration,
  SETTLED_AT,
  toLockedAddress,
} from './locks.ts';
import type { AddressChange, AdmissionContext, AdmissionResult, Plan } from './plan.ts';

/** A host that may answer on an address. */
interface AnsweringHost {
  id: number;
  name: string;
  state: HostState;
}

/**
 * Takes the address from its owner, for good and at once; billing stops here. Every host that may still answer on it
 * is commanded to detach: the one it is on, and those that never acknowledged an earlier command about it. Hosts that are
 * gone get the command for when they return, and are not waited for.
 */
function admitRelease(context: AdmissionContext<ReleaseOperation>): Promise<AdmissionResult> {
  const { operation } = context;
  const reads = [
    addressQuery(operation.address),
    untouchedQuery(operation.address),
    answeringHostsQuery(operation.address),
  ] as const;
  return admitBy(context, reads, ([[row], [reserve], hosts]) => {
    const address = toLockedAddress(row);
    const found = { hosts, untouched: reserve !== undefined };
    return rejectionOfRelease(operation, address) ?? planOf(context, address, found);
  });
}

function planOf(
  { operation, rules }: AdmissionContext<ReleaseOperation>,
  address: LockedAddress | null,
  { hosts, untouched }: { hosts: AnsweringHost[]; untouched: boolean },
): RejectionReason | Plan {
  if (!address) return 'address_not_found';
  const at = effectiveTime(address);
  const settled = hosts.every(({ state }) => state === 'gone');
  const taken = { droplet_id: null, changed_at: at };
  const generation = nextGeneration(address);
  const { quarantineSeconds } = rules;
  // A host that is gone is not waited for, but it had commands once and may come back.
  const quarantine = untouched && hosts.length === 0 ? {} : inQuarantine(at, operation.accountId, quarantineSeconds);
  const change: AddressChange = {
    address,
    actions: [
      {
        type: 'release_ip',
        status: settled ? 'completed' : 'in-progress',
        dropletId: null,
        previousDropletId: address.dropletId,
      },
    ],
    changes: settled ? { ...taken, ...NOBODYS, ...quarantine } : { ...taken, state: 'releasing' },
    commands: hosts.map((host) => ({
      operationId: operation.id,
      host,
      address,
      generation,
      change: 'detach',
      droplet: null,
    })),
    billing: 'released',
  };
  return { changes: [change], settled, destroys: null };
}

/** The hosts whose newest command about an address is anything but a detach that they confirmed. */
function answeringHostsQuery(address: Address): Compilable<AnsweringHost> {
  return statement<AnsweringHost>`
    SELECT hosts.id, hosts.name, hosts.state
    FROM (SELECT host_id, MAX(sequence) AS sequence FROM host_events
          WHERE address_id = (SELECT id FROM addresses WHERE address = ${addressToBytes(address)})
          GROUP BY host_id) AS newest
    JOIN host_events AS command ON command.host_id = newest.host_id AND command.sequence = newest.sequence
    JOIN hosts ON hosts.id = command.host_id
    WHERE command.\`change\` = 'attach' OR command.outcome IS NULL OR command.outcome = 'failed'`;
}

/**
 * Finds a row when nothing has happened to the address since this control plane reserved it in a region, so that no host
 * has had a command about it for its present owner. Legacy, too, records an action when it changes an address.
 */
function untouchedQuery(address: Address): Compilable<{ id: number }> {
  return statement<{ id: number }>`
    SELECT actions.id FROM addresses JOIN actions ON actions.id = addresses.last_action_id
    WHERE addresses.address = ${addressToBytes(address)}
      AND actions.type = 'reserve_ip' AND actions.operation_id IS NOT NULL`;
}

const NOBODYS = {
  state: 'free',
  account_id: null,
  project_id: null,
  reserved_at: null,
} as const satisfies Updateable<AddressesTable>;

function inQuarantine(at: Date, accountId: number, quarantineSeconds: number): Updateable<AddressesTable> {
  return { available_at: new Date(at.getTime() + quarantineSeconds * 1_000), released_by: accountId };
}

/** Gives an address back. */
export const releaseWrites: OperationWrites<ReleaseOperation> = {
  admit: admitRelease,
  settledColumns: ({ accountId }, { quarantineSeconds }) => statement`
    addresses.state = 'free', addresses.account_id = NULL, addresses.project_id = NULL,
    addresses.reserved_at = NULL, addresses.released_by = ${accountId},
    addresses.available_at = ${SETTLED_AT} + INTERVAL ${quarantineSeconds} SECOND`,
  billing: () => null,
  reversal: null,
};
