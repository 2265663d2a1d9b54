import { sql } from 'kysely';
import type { Database } from './database.ts';

/*
 * What the audit asks of the database. Each query finds rows that break a rule, and none on a sound system.
 */

/** Which addresses a check looks at: all, or those of one page, by their row ids. */
export type CheckScope = 'all' | readonly number[];

/** The condition that a column of address ids is in the scope. */
function within(column: string, scope: CheckScope) {
  if (scope === 'all') return sql`TRUE`;
  return scope.length === 0 ? sql`FALSE` : sql`${sql.ref(column)} IN (${sql.join(scope)})`;
}

/** A row that breaks a rule, in words. */
export interface BrokenRow {
  subject: string;
  detail: string;
}

async function broken(db: Database, query: ReturnType<typeof sql<BrokenRow>>): Promise<BrokenRow[]> {
  const { rows } = await query.execute(db);
  return rows;
}

/**
 * Leaves out the addresses that another stack on the same database has changed last: the rules are those of this one.
 * An action without an operation is another stack's.
 */
const changedByThisSystem = sql`NOT EXISTS (
  SELECT 1 FROM actions AS latest WHERE latest.id = addresses.last_action_id AND latest.operation_id IS NULL)`;

/** The operation that is open on an address; without one, the address by itself. */
const holder = sql`COALESCE(
  (SELECT actions.operation_id FROM actions WHERE actions.id = addresses.pending_action_id), addresses.id)`;

const addressText = (column: string) => sql`INET6_NTOA(${sql.ref(column)})`;

/** The condition that a droplet holds, or is about to hold, an address of the scope. */
function dropletsOf(scope: CheckScope) {
  if (scope === 'all') return sql`TRUE`;
  return sql`droplet IN (
    SELECT droplet_id FROM addresses WHERE ${within('id', scope)} AND droplet_id IS NOT NULL
    UNION SELECT target_droplet_id FROM addresses WHERE ${within('id', scope)} AND target_droplet_id IS NOT NULL)`;
}

/**
 * Droplets that hold, or are about to hold, more than one address of a family. When all of them are in the hands of one
 * operation, it sees to it that one leaves as the other comes.
 */
export function dropletsWithSeveralAddresses(db: Database, scope: CheckScope): Promise<BrokenRow[]> {
  return broken(
    db,
    sql<BrokenRow>`
      SELECT CONCAT('droplet ', droplet) AS subject, CONCAT(COUNT(*), ' addresses of family ', family) AS detail
      FROM (
        SELECT droplet_id AS droplet, family, id, ${holder} AS holder FROM addresses
        WHERE droplet_id IS NOT NULL AND ${changedByThisSystem}
        UNION SELECT target_droplet_id, family, id, ${holder} FROM addresses
        WHERE target_droplet_id IS NOT NULL AND ${changedByThisSystem}
      ) AS held
      WHERE ${dropletsOf(scope)}
      GROUP BY droplet, family HAVING COUNT(*) > 1 AND COUNT(DISTINCT holder) > 1`,
  );
}

/** Addresses on a droplet of another account or region, or on one that was destroyed and is not being taken off it. */
export function misplacedAddresses(db: Database, scope: CheckScope): Promise<BrokenRow[]> {
  return broken(
    db,
    sql<BrokenRow>`
      SELECT ${addressText('addresses.address')} AS subject,
             CONCAT('on droplet ', droplets.id, ' of account ', droplets.account_id, ' in region ', droplets.region_id) AS detail
      FROM addresses JOIN droplets ON droplets.id = addresses.droplet_id
      WHERE ${within('addresses.id', scope)} AND ${changedByThisSystem}
        AND (droplets.account_id <> addresses.account_id
          OR droplets.region_id <> addresses.region_id
          OR (droplets.deleted_at IS NOT NULL AND addresses.pending_action_id IS NULL))`,
  );
}

/** Fences whose action is not in progress, and actions in progress that hold no fence. */
export function fencesWithoutAction(db: Database, scope: CheckScope): Promise<BrokenRow[]> {
  return broken(
    db,
    sql<BrokenRow>`
      SELECT ${addressText('addresses.address')} AS subject,
             CONCAT('fenced by action ', addresses.pending_action_id, ', which is ', COALESCE(actions.status, 'missing')) AS detail
      FROM addresses LEFT JOIN actions ON actions.id = addresses.pending_action_id
      WHERE ${within('addresses.id', scope)} AND addresses.pending_action_id IS NOT NULL AND ${changedByThisSystem}
        AND (actions.id IS NULL OR actions.status <> 'in-progress' OR actions.address_id <> addresses.id)
      UNION ALL
      SELECT CONCAT('action ', actions.id), CONCAT('in progress without the fence of ', ${addressText('actions.address')})
      FROM actions LEFT JOIN addresses ON addresses.id = actions.address_id
      WHERE ${within('actions.address_id', scope)}
        AND actions.status = 'in-progress' AND actions.address_id IS NOT NULL AND actions.operation_id IS NOT NULL
        AND NOT (addresses.pending_action_id <=> actions.id)`,
  );
}

/** Host events of a generation that the address never had, or that run backwards on one host. */
export function generationsOutOfOrder(db: Database, scope: CheckScope): Promise<BrokenRow[]> {
  return broken(
    db,
    sql<BrokenRow>`
      SELECT ${addressText('addresses.address')} AS subject,
             CONCAT('host command of generation ', MAX(host_events.generation), ' but the address is at ', addresses.generation) AS detail
      FROM host_events JOIN addresses ON addresses.id = host_events.address_id
      WHERE ${within('host_events.address_id', scope)} AND ${changedByThisSystem}
      GROUP BY addresses.id, addresses.address, addresses.generation
      HAVING MAX(host_events.generation) > addresses.generation
      UNION ALL
      SELECT ${addressText('address')}, CONCAT('on host ', host_id, ' generation ', generation, ' follows ', previous)
      FROM (
        SELECT address, host_id, generation,
               LAG(generation) OVER (PARTITION BY host_id, address_id ORDER BY sequence) AS previous
        FROM host_events
        WHERE ${within('address_id', scope)}
          AND EXISTS (SELECT 1 FROM addresses WHERE addresses.id = host_events.address_id AND ${changedByThisSystem})
      ) AS ordered
      WHERE previous > generation`,
  );
}

/** Joins addresses with the newest event about each on every active host: `event`, and `hosts` for its host. */
function newestCommandsJoin(scope: CheckScope) {
  return sql`
    JOIN (SELECT address_id, host_id, MAX(sequence) AS sequence FROM host_events
          WHERE ${within('address_id', scope)} GROUP BY address_id, host_id) AS newest
      ON newest.address_id = addresses.id
    JOIN host_events AS event ON event.host_id = newest.host_id AND event.sequence = newest.sequence
    JOIN hosts ON hosts.id = event.host_id AND hosts.state = 'active'`;
}

/** Addresses in the pool on which a host may still answer. */
export function freeAddressesStillAnswered(db: Database, scope: CheckScope): Promise<BrokenRow[]> {
  return broken(
    db,
    sql<BrokenRow>`
      SELECT ${addressText('addresses.address')} AS subject,
             CONCAT('free, but ', hosts.name, ' has not confirmed a detach since its ', event.\`change\`) AS detail
      FROM addresses
      ${newestCommandsJoin(scope)}
      WHERE addresses.state = 'free' AND ${changedByThisSystem}
        AND (event.\`change\` = 'attach' OR event.outcome IS NULL OR event.outcome = 'failed')`,
  );
}

/** Addresses that more than one host may announce: told to attach, or unable to detach, and told nothing since. */
export function addressesOnSeveralHosts(db: Database, scope: CheckScope): Promise<BrokenRow[]> {
  return broken(
    db,
    sql<BrokenRow>`
      SELECT ${addressText('addresses.address')} AS subject, CONCAT('answered by ', COUNT(*), ' hosts') AS detail
      FROM addresses
      ${newestCommandsJoin(scope)}
      WHERE (event.\`change\` = 'attach' OR event.outcome = 'failed') AND ${changedByThisSystem}
      GROUP BY addresses.id, addresses.address HAVING COUNT(*) > 1`,
  );
}

/** Admitted operations without an action, and actions of an operation that was never admitted. */
export function operationsWithoutAction(db: Database, scope: CheckScope): Promise<BrokenRow[]> {
  return broken(
    db,
    sql<BrokenRow>`
      SELECT CONCAT('operation ', operations.id) AS subject, 'admitted, but has no action' AS detail
      FROM operations LEFT JOIN actions ON actions.operation_id = operations.id
      WHERE ${scope === 'all' ? sql`TRUE` : sql`FALSE`}
        AND operations.decision = 'admitted' AND actions.id IS NULL
      UNION ALL
      SELECT CONCAT('action ', actions.id), 'has an operation that was not admitted'
      FROM actions LEFT JOIN operations ON operations.id = actions.operation_id
      WHERE ${within('actions.address_id', scope)}
        AND actions.address_id IS NOT NULL AND actions.operation_id IS NOT NULL
        AND (operations.id IS NULL OR operations.decision <> 'admitted')`,
  );
}
