import { type Compilable, type RawBuilder, sql } from 'kysely';
import { addressToBytes } from '../../domain/address.ts';
import type { OperationId } from '../../domain/identifiers.ts';
import { BILLING_EVENT_ID_PREFIX, billingEventId } from '../../domain/names.ts';
import { kindOf, type Operation, workflowIdOf } from '../../domain/operation.ts';
import type { Admitted } from '../../domain/verdict.ts';
import { appendingEntry } from '../audit-log.ts';
import type { Database } from '../database.ts';
import type { Written } from '../together.ts';
import type { AddressChange, AdmissionContext, Plan } from './admission.ts';
import { hostEventQueries } from './host-events.ts';
import { effectiveTime, nextGeneration, statement } from './locks.ts';

/*
 * What an admission writes.
 */

/** Everything that an admitted operation writes, in one order; `verdict` is without the numbers of the actions. */
export function admissionQueries(context: AdmissionContext, plan: Plan, verdict: Admitted): Compilable[] {
  const { db, operation, viaOutbox } = context;
  const { changes, settled, destroys } = plan;
  const events = changes.flatMap((change) => change.events);
  return [
    ...changes.flatMap((change, index) => actionQueries(db, operation, change, index)),
    ...addressQueries(db, plan),
    ...(destroys?.isLast
      ? [db.updateTable('droplets').set({ deleted_at: changes[0].address.now }).where('id', '=', destroys.dropletId)]
      : []),
    operationQuery(db, operation, plan, verdict),
    ...(viaOutbox ? [outboxQuery(db, operation.id, settled)] : []),
    ...changes.flatMap((change, index) => auditQueries(db, operation, change, index)),
    ...hostEventQueries(db, events),
  ];
}

/** The number of the first or the last action that the transaction has inserted for one of the addresses. */
function numberOf(which: 'first' | 'last', index: number): RawBuilder<number> {
  return sql<number>`@${sql.id(`${which}_action_${index}`)}`;
}

/** Each insert is followed by one that remembers its number; {@link numbered} goes by this order. */
function actionQueries(
  db: Database,
  operation: Operation,
  { address, actions }: AddressChange,
  index: number,
): Compilable[] {
  const time = effectiveTime(address);
  const [first, last] = [numberOf('first', index), numberOf('last', index)];
  return actions.flatMap((action, position) => [
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
      position === 0
        ? sql`SET ${first} = LAST_INSERT_ID(), ${last} = LAST_INSERT_ID()`
        : sql`SET ${last} = LAST_INSERT_ID()`,
    ),
  ]);
}

/**
 * Where several addresses change, each is sent to its droplet once all have their fences: one of them may still be on
 * the droplet that another goes to, which the trigger `addresses_taken_over` refuses to whoever begins an action there.
 */
function addressQueries(db: Database, { changes, settled }: Plan): Compilable[] {
  const isSeveral = changes.length > 1;
  const fencing = changes.map(({ address, changes: { target_droplet_id, ...others } }, index) =>
    db
      .updateTable('addresses')
      .set({
        ...others,
        ...(!isSeveral && target_droplet_id !== undefined && { target_droplet_id }),
        ...(!settled && { pending_action_id: numberOf('last', index) }),
        last_action_id: numberOf('last', index),
        generation: nextGeneration(address),
      })
      .where('id', '=', address.id),
  );
  if (!isSeveral) return fencing;
  const sending = changes.flatMap(({ address, changes: { target_droplet_id } }) =>
    target_droplet_id === undefined
      ? []
      : [db.updateTable('addresses').set({ target_droplet_id }).where('id', '=', address.id)],
  );
  return [...fencing, ...sending];
}

function operationQuery(db: Database, operation: Operation, plan: Plan, verdict: Admitted): Compilable {
  return statement(
    db,
    sql`
      INSERT INTO operations
        (id, kind, account_id, workflow_id, request, verdict, destroys_droplet_id, visible_wait)
      VALUES (${operation.id}, ${operation.kind}, ${operation.accountId}, ${workflowIdOf(operation)},
              ${JSON.stringify(operation)}, ${numberedQuery(plan, verdict)}, ${plan.destroys?.dropletId ?? null}, 0)`,
  );
}

/** The verdict as it is stored, with the numbers of the actions. */
function numberedQuery({ changes }: Plan, verdict: Admitted): RawBuilder<unknown> {
  const billed = changes.flatMap(({ billing }, index) => (billing === null ? [] : [numberOf('first', index)]));
  const numbers = [
    sql`'$.actionId', ${numberOf('last', 0)}`,
    ...changes.slice(1).map((_, index) => sql`${`$.furtherFences[${index}].actionId`}, ${numberOf('last', index + 1)}`),
    ...billed.flatMap((number, index) => [
      sql`${`$.billing[${index}].actionId`}, ${number}`,
      sql`${`$.billing[${index}].eventId`}, CONCAT(${BILLING_EVENT_ID_PREFIX}, ${number})`,
    ]),
  ];
  return sql`JSON_SET(${JSON.stringify(verdict)}, ${sql.join(numbers)})`;
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

function auditQueries(db: Database, operation: Operation, { address }: AddressChange, index: number): Compilable[] {
  const { requestedBy: requester, kind: action, id: operationId, accountId } = operation;
  if (!requester) return [];
  const further = kindOf(operation).detail(operation);
  const detail = sql<string>`CONCAT('action ', ${numberOf('last', index)}, ${further === null ? '' : `, ${further}`})`;
  const subject = address.address;
  return [appendingEntry(db, { requester, accountId, action, subject, outcome: 'done', operationId, detail })];
}

/** The verdict with the numbers of the actions, as the transaction has stored it. */
export function numbered(plan: Plan, verdict: Admitted, written: readonly Written[]): Admitted {
  const numbers = numbersOf(plan, written);
  const billed = plan.changes.flatMap(({ billing }, index) => (billing === null ? [] : [numbers[index]?.first ?? 0]));
  const fences = verdict.furtherFences?.map((fence, index) => ({ ...fence, actionId: numbers[index + 1]?.last ?? 0 }));
  return {
    ...verdict,
    actionId: numbers[0]?.last ?? 0,
    ...(fences && { furtherFences: fences }),
    billing: verdict.billing.map((change, index) => {
      const actionId = billed[index] ?? 0;
      return { ...change, actionId, eventId: billingEventId(actionId) };
    }),
  };
}

/** The numbers that the database gave to the first and to the last action of each address. */
function numbersOf({ changes }: Plan, written: readonly Written[]): { first: number; last: number }[] {
  let next = 0;
  return changes.map(({ actions }) => {
    const first = next;
    next += 2 * actions.length;
    return { first: written[first]?.insertId ?? 0, last: written[next - 2]?.insertId ?? 0 };
  });
}
