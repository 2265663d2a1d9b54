import { actionTypesThat } from '../domain/action-types.ts';
import { addressFromBytes, ipVersionOf } from '../domain/address.ts';
import { anchorFor } from '../domain/anchor.ts';
import type { DesiredAttachment, DesiredState } from '../domain/host-protocol.ts';
import type { Database } from './database.ts';

const TAKING_OFF_HOSTS = actionTypesThat(({ takesOffHosts }) => takesOffHosts);

/**
 * Every address that a host must announce: those on one of its droplets and those being assigned to one. An address that is
 * being moved to another host, unassigned or released is announced by none.
 *
 * Both reads are in one REPEATABLE READ snapshot: whoever writes an address raises the host's sequence in the same
 * transaction, so the snapshot holds either both or neither, and `sequence` is exactly the last command it reflects.
 */
export async function readDesiredState(db: Database, host: { id: number; name: string }): Promise<DesiredState> {
  return db
    .transaction()
    .setIsolationLevel('repeatable read')
    .execute(async (tx) => {
      const { sequence } = await tx
        .selectFrom('hosts')
        .select('last_sequence as sequence')
        .where('id', '=', host.id)
        .executeTakeFirstOrThrow();
      const rows = await tx
        .selectFrom('droplets')
        .innerJoin('addresses', 'addresses.target_droplet_id', 'droplets.id')
        .select(attachmentColumns)
        .where('droplets.host_id', '=', host.id)
        .where('addresses.state', '=', 'reserved')
        .unionAll(
          tx
            .selectFrom('droplets')
            .innerJoin('addresses', 'addresses.droplet_id', 'droplets.id')
            .leftJoin('actions', 'actions.id', 'addresses.pending_action_id')
            .select(attachmentColumns)
            .where('droplets.host_id', '=', host.id)
            .where('addresses.state', '=', 'reserved')
            .where('addresses.target_droplet_id', 'is', null)
            .where((where) =>
              where.or([where('actions.id', 'is', null), where('actions.type', 'not in', TAKING_OFF_HOSTS)]),
            ),
        )
        .execute();
      return { host: host.name, sequence, attachments: rows.map(toAttachment) };
    });
}

const attachmentColumns = [
  'addresses.address',
  'addresses.generation',
  'droplets.id as dropletId',
  'droplets.anchor',
] as const;

function toAttachment(row: {
  address: Buffer;
  generation: number;
  dropletId: number;
  anchor: Buffer;
}): DesiredAttachment {
  const address = addressFromBytes(row.address);
  return { ...row, address, anchor: anchorFor(ipVersionOf(address), addressFromBytes(row.anchor)) };
}
