import { sql } from 'kysely';
import { type Address, addressFromBytes } from '../domain/address.ts';
import type { Database } from './database.ts';
import type { ActionStatus, ActionType } from './schema.ts';

/*
 * What the audit asks of the database. Each query finds rows that break a rule, and none on a sound system.
 */

/** A row that breaks a rule, in words. */
export interface BrokenRow {
  subject: string;
  detail: string;
}

async function broken(db: Database, query: ReturnType<typeof sql<BrokenRow>>): Promise<BrokenRow[]> {
  const { rows } = await query.execute(db);
  return rows;
}

const addressText = (column: string) => sql`INET6_NTOA(${sql.ref(column)})`;

/** Droplets that hold, or are about to hold, more than one address of a family. */
export function dropletsWithSeveralAddresses(db: Database): Promise<BrokenRow[]> {
  return broken(
    db,
    sql<BrokenRow>`
      SELECT CONCAT('droplet ', droplet) AS subject, CONCAT(COUNT(*), ' addresses of family ', family) AS detail
      FROM (
        SELECT droplet_id AS droplet, family, id FROM addresses WHERE droplet_id IS NOT NULL
        UNION SELECT target_droplet_id, family, id FROM addresses WHERE target_droplet_id IS NOT NULL
      ) AS held
      GROUP BY droplet, family HAVING COUNT(*) > 1`,
  );
}

/** Addresses on a droplet of another account or region, or on one that was destroyed and is not being taken off it. */
export function misplacedAddresses(db: Database): Promise<BrokenRow[]> {
  return broken(
    db,
    sql<BrokenRow>`
      SELECT ${addressText('addresses.address')} AS subject,
             CONCAT('on droplet ', droplets.id, ' of account ', droplets.account_id, ' in region ', droplets.region_id) AS detail
      FROM addresses JOIN droplets ON droplets.id = addresses.droplet_id
      WHERE droplets.account_id <> addresses.account_id
         OR droplets.region_id <> addresses.region_id
         OR (droplets.deleted_at IS NOT NULL AND addresses.pending_action_id IS NULL)`,
  );
}

/** Fences whose action is not in progress, and actions in progress that hold no fence. */
export function fencesWithoutAction(db: Database): Promise<BrokenRow[]> {
  return broken(
    db,
    sql<BrokenRow>`
      SELECT ${addressText('addresses.address')} AS subject,
             CONCAT('fenced by action ', addresses.pending_action_id, ', which is ', COALESCE(actions.status, 'missing')) AS detail
      FROM addresses LEFT JOIN actions ON actions.id = addresses.pending_action_id
      WHERE addresses.pending_action_id IS NOT NULL
        AND (actions.id IS NULL OR actions.status <> 'in-progress' OR actions.address_id <> addresses.id)
      UNION ALL
      SELECT CONCAT('action ', actions.id), CONCAT('in progress without the fence of ', ${addressText('actions.address')})
      FROM actions LEFT JOIN addresses ON addresses.id = actions.address_id
      WHERE actions.status = 'in-progress' AND actions.address_id IS NOT NULL
        AND NOT (addresses.pending_action_id <=> actions.id)`,
  );
}

/** Host events of a generation that the address never had, or that run backwards on one host. */
export function generationsOutOfOrder(db: Database): Promise<BrokenRow[]> {
  return broken(
    db,
    sql<BrokenRow>`
      SELECT ${addressText('addresses.address')} AS subject,
             CONCAT('host event of generation ', MAX(host_events.generation), ' but the address is at ', addresses.generation) AS detail
      FROM host_events JOIN addresses ON addresses.id = host_events.address_id
      GROUP BY addresses.id, addresses.address, addresses.generation
      HAVING MAX(host_events.generation) > addresses.generation
      UNION ALL
      SELECT ${addressText('address')}, CONCAT('on host ', host_id, ' generation ', generation, ' follows ', previous)
      FROM (
        SELECT address, host_id, generation,
               LAG(generation) OVER (PARTITION BY host_id, address_id ORDER BY sequence) AS previous
        FROM host_events
      ) AS ordered
      WHERE previous > generation`,
  );
}

/** Addresses in the pool on which a host may still answer. */
export function freeAddressesStillAnswered(db: Database): Promise<BrokenRow[]> {
  return broken(
    db,
    sql<BrokenRow>`
      SELECT ${addressText('addresses.address')} AS subject,
             CONCAT('free, but ', hosts.name, ' has not confirmed a detach since its ', event.\`change\`) AS detail
      FROM addresses
      JOIN (SELECT address_id, host_id, MAX(sequence) AS sequence FROM host_events GROUP BY address_id, host_id) AS newest
        ON newest.address_id = addresses.id
      JOIN host_events AS event ON event.host_id = newest.host_id AND event.sequence = newest.sequence
      JOIN hosts ON hosts.id = event.host_id AND hosts.state = 'active'
      WHERE addresses.state = 'free'
        AND (event.\`change\` = 'attach' OR event.outcome IS NULL OR event.outcome = 'failed')`,
  );
}

/** Addresses that more than one host may answer for: told to attach, or unable to detach, and told nothing since. */
export function addressesOnSeveralHosts(db: Database): Promise<BrokenRow[]> {
  return broken(
    db,
    sql<BrokenRow>`
      SELECT ${addressText('addresses.address')} AS subject, CONCAT('answered by ', COUNT(*), ' hosts') AS detail
      FROM addresses
      JOIN (SELECT address_id, host_id, MAX(sequence) AS sequence FROM host_events GROUP BY address_id, host_id) AS newest
        ON newest.address_id = addresses.id
      JOIN host_events AS event ON event.host_id = newest.host_id AND event.sequence = newest.sequence
      JOIN hosts ON hosts.id = event.host_id AND hosts.state = 'active'
      WHERE event.\`change\` = 'attach' OR event.outcome = 'failed'
      GROUP BY addresses.id, addresses.address HAVING COUNT(*) > 1`,
  );
}

/** Admitted operations without an action, and actions whose operation was never admitted. */
export function operationsWithoutAction(db: Database): Promise<BrokenRow[]> {
  return broken(
    db,
    sql<BrokenRow>`
      SELECT CONCAT('operation ', operations.id) AS subject, 'admitted, but has no action' AS detail
      FROM operations LEFT JOIN actions ON actions.operation_id = operations.id
      WHERE operations.verdict LIKE '{"kind":"admitted"%' AND actions.id IS NULL
      UNION ALL
      SELECT CONCAT('action ', actions.id), 'has an operation that was not admitted'
      FROM actions LEFT JOIN operations ON operations.id = actions.operation_id
      WHERE actions.address_id IS NOT NULL
        AND (operations.id IS NULL OR operations.verdict NOT LIKE '{"kind":"admitted"%')`,
  );
}

/** An operation that holds a fence, and the workflow that must be open for it. */
export interface OpenOperation {
  address: Address;
  actionId: number;
  operationId: string;
  workflowId: string;
}

/** Every operation that holds a fence. */
export async function listOpenOperations(db: Database): Promise<OpenOperation[]> {
  const rows = await db
    .selectFrom('addresses')
    .innerJoin('actions', 'actions.id', 'addresses.pending_action_id')
    .innerJoin('operations', 'operations.id', 'actions.operation_id')
    .select(['addresses.address', 'actions.id as actionId', 'operations.id as operationId', 'operations.workflow_id'])
    .execute();
  return rows.map(({ address, workflow_id, ...row }) => ({
    ...row,
    address: addressFromBytes(address),
    workflowId: workflow_id,
  }));
}

/** A change that billing must have heard of exactly once. */
export interface BillableAction {
  actionId: number;
  accountId: number;
  address: Address;
  type: ActionType;
  status: ActionStatus;
  /** When it took effect: a release when it was admitted, everything else when it was settled. */
  effectiveAt: Date;
}

/** Every action that has changed what is billed. */
export async function listBillableActions(db: Database): Promise<BillableAction[]> {
  const rows = await db
    .selectFrom('actions')
    .select(['id as actionId', 'account_id as accountId', 'address', 'type', 'status', 'started_at', 'completed_at'])
    .where('address', 'is not', null)
    .where((where) => where.or([where('status', '=', 'completed'), where('type', '=', 'release_ip')]))
    .orderBy('id')
    .execute();
  return rows.flatMap(({ address, started_at, completed_at, ...row }) => {
    const effectiveAt = row.type === 'release_ip' ? started_at : completed_at;
    return address && effectiveAt ? [{ ...row, address: addressFromBytes(address), effectiveAt }] : [];
  });
}
