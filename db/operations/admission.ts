import { type Compilable, sql, type Updateable } from 'kysely';
import { addressToBytes } from '../../domain/address.ts';
import type { BillingChangeKind } from '../../domain/billing.ts';
import type { OperationId } from '../../domain/identifiers.ts';
import { BILLING_EVENT_ID_PREFIX, billingEventId } from '../../domain/names.ts';
import { type Operation, workflowIdOf } from '../../domain/operation.ts';
import type { PoolShareRules } from '../../domain/pool-share.ts';
import type { Admitted, Refusal, Verdict } from '../../domain/verdict.ts';
import { verdictSchema } from '../../domain/verdict.ts';
import { appendingEntry } from '../audit-log.ts';
import { queryLimit } from '../bounded.ts';
import type { Database } from '../database.ts';
import type { RegionRecord } from '../regions.ts';
import type { ActionStatus, ActionType, AddressesTable } from '../schema.ts';
import { type RowsOf, rowsOfEach, type Written } from '../together.ts';
import { type Decision, inTwoRoundTrips } from '../transaction.ts';
import { hostEventQueries, type NewHostEvent } from './host-events.ts';
import { effectiveTime, type LockedAddress, statement } from './locks.ts';

/*
 * How every operation is admitted: in one transaction of two round trips. The first reads and locks, and a pure decision
 * is made by what it finds; the second writes and commits, or rolls back.
 */

/** Rules that operations follow. */
export interface OperationRules {
  /** Rest of a released address, in seconds. */
  quarantineSeconds: number;
  /** How much of a pool one account may take. */
  poolShare: PoolShareRules;
}

/** What every operation is admitted with. */
export interface AdmissionContext<Kind extends Operation = Operation> {
  db: Database;
  operation: Kind;
  rules: OperationRules;
  /** The operation may have been admitted before, under the same id: then that stands. */
  mayBeRepeated: boolean;
  /** Whether its workflow is to be started by whoever looks into the outbox, should the caller not come to it. */
  viaOutbox: boolean;
}

/** What the caller need not read again of an address that was just admitted. */
export interface AdmittedAddress {
  id: number;
  region: RegionRecord;
  /** The droplet that it was on. */
  dropletId: number | null;
  /** Of the account that reserved it; null for other operations. */
  accountUuid: string | null;
}

/** What an operation came to. */
export type AdmissionResult =
  | { kind: 'admitted'; admitted: Admitted; address: AdmittedAddress }
  /** It was decided before, under the same id. */
  | { kind: 'repeated'; verdict: Verdict }
  | { kind: 'refused'; refusal: Refusal };

/** An action that an operation begins, or that is over with its admission. */
export interface NewAction {
  type: ActionType;
  status: ActionStatus;
  dropletId: number | null;
  previousDropletId: number | null;
}

/** What an operation that is admitted changes. */
export interface Plan {
  address: LockedAddress;
  /** The last one is the operation's own; one before it is over with the admission. */
  actions: readonly NewAction[];
  /** Of the address, besides its action and generation. */
  changes: Updateable<AddressesTable>;
  events: readonly NewHostEvent[];
  /** Host that must acknowledge the attach; null when nothing is attached. */
  attachTo: string | null;
  /** Hosts whose detach is waited for. */
  detachFrom: string[];
  /** Nothing is left to wait for or to settle, so the fence is not taken. */
  settled: boolean;
  /** What billing is to hear of at once, of the first action. */
  billing: BillingChangeKind | null;
  /** A droplet that is gone with it. */
  destroys: number | null;
  /** Of an account that reserves. */
  accountUuid?: string | null;
}

/** The generation that a plan raises an address to. */
export function nextGeneration({ generation }: LockedAddress): number {
  return generation + 1;
}

/**
 * Admits an operation as `decide` says by what `reads` have found; the first of them locks. Throws the database's own
 * errors, and {@link CommitInDoubtError} when it is not known whether it was admitted.
 */
export function admitBy<const Queries extends readonly [Compilable, ...Compilable[]]>(
  context: AdmissionContext,
  reads: Queries,
  decide: (rows: RowsOf<Queries>) => Refusal | Plan,
): Promise<AdmissionResult> {
  const { db, operation, mayBeRepeated } = context;
  // After the locks, so that what another try has committed is seen.
  const all = mayBeRepeated ? [...reads, verdictQuery(db, operation.id)] : reads;
  return inTwoRoundTrips<AdmissionResult>(db, all, (rows) => {
    const earlier = mayBeRepeated ? toVerdict(rowsOfEach<[Compilable<VerdictRow>]>(rows.slice(-1))[0][0]) : null;
    if (earlier) return rollBack({ kind: 'repeated', verdict: earlier });
    const plan = decide(rowsOfEach<Queries>(rows));
    if (typeof plan === 'string') return rollBack({ kind: 'refused', refusal: plan });
    if (isTooLate(operation, plan)) return rollBack({ kind: 'refused', refusal: 'expired' });
    const verdict = verdictOf(operation, plan);
    return {
      kind: 'commit',
      writes: admissionQueries(context, plan, verdict),
      result: (written) => admittedAs(verdict, plan, written),
    };
  });
}

function rollBack(result: AdmissionResult): Decision<AdmissionResult> {
  return { kind: 'roll back', result };
}

/** Whoever started it has been told by then that it will not happen. */
function isTooLate({ admitBefore }: Operation, { address }: Plan): boolean {
  return admitBefore !== undefined && address.now.getTime() > Date.parse(admitBefore);
}

/** The verdict without the numbers of its actions, which the database gives. */
function verdictOf({ id, accountId }: Operation, plan: Plan): Admitted {
  const { address, attachTo, detachFrom, settled, billing: kind } = plan;
  const startedAt = effectiveTime(address).toISOString();
  const change = {
    eventId: '',
    accountId,
    address: address.address,
    region: address.region.slug,
    dropletId: null,
    actionId: 0,
    effectiveAt: startedAt,
  };
  return {
    kind: 'admitted',
    operationId: id,
    actionId: 0,
    startedAt,
    address: address.address,
    region: address.region.slug,
    generation: nextGeneration(address),
    attachTo,
    detachFrom,
    settled,
    billing: kind === null ? [] : [{ ...change, kind }],
  };
}

/** The numbers of the actions that the transaction has inserted. */
const FIRST_ACTION = sql<number>`@first_action_id`;
const OWN_ACTION = sql<number>`@action_id`;

function admissionQueries(context: AdmissionContext, plan: Plan, verdict: Admitted): Compilable[] {
  const { db, operation, viaOutbox } = context;
  const { address, changes, settled, destroys } = plan;
  return [
    ...actionQueries(db, operation, plan),
    db
      .updateTable('addresses')
      .set({
        ...changes,
        ...(!settled && { pending_action_id: OWN_ACTION }),
        last_action_id: OWN_ACTION,
        generation: nextGeneration(address),
      })
      .where('id', '=', address.id),
    ...(destroys === null
      ? []
      : [db.updateTable('droplets').set({ deleted_at: address.now }).where('id', '=', destroys)]),
    operationQuery(db, operation, verdict),
    ...(viaOutbox ? [outboxQuery(db, operation.id, settled)] : []),
    ...auditQueries(db, operation, address),
    ...hostEventQueries(db, plan.events),
  ];
}

/** Each insert is followed by one that remembers its number; {@link admittedAs} goes by this order. */
function actionQueries(db: Database, operation: Operation, { address, actions }: Plan): Compilable[] {
  const time = effectiveTime(address);
  return actions.flatMap((action, index) => [
    db.insertInto('actions').values({
      operation_id: operation.id,
      account_id: operation.accountId,
      address_id: address.id,
      address: addressToBytes(address.address),
      droplet_id: action.dropletId,
      previous_droplet_id: action.previousDropletId,
      region_id: address.regionId,
      type: action.type,
      resource_type: operation.resourceType,
      status: action.status,
      reason: null,
      started_at: time,
      completed_at: action.status === 'in-progress' ? null : time,
    }),
    statement(
      db,
      index === 0
        ? sql`SET @first_action_id = LAST_INSERT_ID(), @action_id = LAST_INSERT_ID()`
        : sql`SET @action_id = LAST_INSERT_ID()`,
    ),
  ]);
}

function operationQuery(db: Database, operation: Operation, verdict: Admitted): Compilable {
  const text = JSON.stringify(verdict);
  const numbered =
    verdict.billing.length === 0
      ? sql`JSON_SET(${text}, '$.actionId', ${OWN_ACTION})`
      : sql`JSON_SET(${text}, '$.actionId', ${OWN_ACTION}, '$.billing[0].actionId', ${FIRST_ACTION},
                     '$.billing[0].eventId', CONCAT(${BILLING_EVENT_ID_PREFIX}, ${FIRST_ACTION}))`;
  const destroys = operation.kind === 'unassign' ? operation.destroysDropletId : null;
  return statement(
    db,
    sql`
      INSERT INTO operations
        (id, kind, account_id, workflow_id, request, verdict, destroys_droplet_id, visible_wait)
      VALUES (${operation.id}, ${operation.kind}, ${operation.accountId}, ${workflowIdOf(operation)},
              ${JSON.stringify(operation)}, ${numbered}, ${destroys}, 0)`,
  );
}

/** Its starter has a second before others look. */
function outboxQuery(db: Database, operationId: OperationId, settled: boolean): Compilable {
  return statement(
    db,
    sql`
      INSERT INTO outbox (operation_id, due_at, settled)
      VALUES (${operationId}, NOW(3) + INTERVAL 1 SECOND, ${settled ? 1 : 0})`,
  );
}

function auditQueries(db: Database, operation: Operation, { address }: LockedAddress): Compilable[] {
  const { requestedBy: requester, kind: action, id: operationId, accountId } = operation;
  if (!requester) return [];
  const droplet = operation.kind === 'assign' ? `, droplet ${operation.dropletId}` : '';
  const entry = { requester, accountId, action, subject: address, outcome: 'done' as const, operationId };
  return [appendingEntry(db, { ...entry, detail: sql<string>`CONCAT('action ', ${OWN_ACTION}, ${droplet})` })];
}

function admittedAs(
  verdict: Admitted,
  { address, actions, accountUuid = null }: Plan,
  written: readonly Written[],
): AdmissionResult {
  const actionId = written[2 * (actions.length - 1)]?.insertId ?? 0;
  const firstActionId = written[0]?.insertId ?? 0;
  const billing = verdict.billing.map((change) => ({
    ...change,
    actionId: firstActionId,
    eventId: billingEventId(firstActionId),
  }));
  const { id, region, dropletId } = address;
  return {
    kind: 'admitted',
    admitted: { ...verdict, actionId, billing },
    address: { id, region, dropletId, accountUuid },
  };
}

interface VerdictRow {
  verdict: string;
}

function verdictQuery(db: Database, operationId: OperationId): Compilable<VerdictRow> {
  return statement(db, sql<VerdictRow>`SELECT verdict FROM operations WHERE id = ${operationId}`);
}

function toVerdict(row: VerdictRow | undefined): Verdict | null {
  return row ? verdictSchema.parse(JSON.parse(row.verdict)) : null;
}

/** The stored verdict of an operation, if it has one. */
export async function findVerdict(db: Database, operationId: OperationId): Promise<Verdict | null> {
  const { rows } = await db.executeQuery(verdictQuery(db, operationId), queryLimit());
  return toVerdict(rows[0]);
}
