import type { Compilable } from 'kysely';
import { addressToBytes } from '../../domain/address.ts';
import type { Admitted } from '../../domain/decision.ts';
import type { OperationId } from '../../domain/identifiers.ts';
import { BILLING_EVENT_ID_PREFIX, billingEventId } from '../../domain/names.ts';
import { kindOf, type Operation, workflowIdOf } from '../../domain/operation.ts';
import { appendEntryQuery } from '../audit-log.ts';
import { assignments, listOf, Statement, statement } from '../statement.ts';
import type { Written } from '../together.ts';
import { hostCommandQueries } from './host-command-writes.ts';
import { effectiveTime, nextGeneration } from './locks.ts';
import type { AddressChange, AdmissionContext, Plan } from './plan.ts';

/*
 * What an admission writes.
 */

/** Everything that an admitted operation writes, in one order; `decision` is without the numbers of the actions. */
export function admissionQueries(context: AdmissionContext, plan: Plan, decision: Admitted): Compilable[] {
  const { operation, viaOutbox } = context;
  const { changes, settled, destroys } = plan;
  const commands = changes.flatMap((change) => change.commands);
  return [
    ...changes.flatMap((change, index) => actionQueries(operation, plan, change, index)),
    ...addressQueries(plan),
    ...(destroys?.isLast
      ? [statement`UPDATE droplets SET deleted_at = ${changes[0].address.now} WHERE id = ${destroys.dropletId}`]
      : []),
    operationQuery(operation, plan, decision),
    ...(viaOutbox ? [outboxQuery(operation.id, settled)] : []),
    ...changes.flatMap((change, index) => auditLogQueries(operation, plan, change, index)),
    ...hostCommandQueries(commands),
  ];
}

/** A single action is the last row that the server has numbered, as long as nothing but its operation is written. */
function hasOneAction({ changes }: Plan): boolean {
  return changes.length === 1 && changes[0].actions.length === 1;
}

/** The number of the first or the last action that the transaction has inserted for one of the addresses. */
function numberOf(plan: Plan, which: 'first' | 'last', index: number): Statement<number> {
  return new Statement([hasOneAction(plan) ? 'LAST_INSERT_ID()' : `@${which}_action_${index}`]);
}

/** Where there are several, each insert is followed by one that remembers its number; {@link numbered} goes by this order. */
function actionQueries(operation: Operation, plan: Plan, { address, actions }: AddressChange, index: number) {
  const time = effectiveTime(address);
  const [first, last] = [numberOf(plan, 'first', index), numberOf(plan, 'last', index)];
  return actions.flatMap((action, position) => {
    const insert = statement`
      INSERT INTO actions
        (operation_id, account_id, address_id, address, droplet_id, previous_droplet_id, region_id, type, resource_type,
         status, reason, started_at, completed_at)
      VALUES (${operation.id}, ${operation.accountId}, ${address.id}, ${addressToBytes(address.address)},
              ${action.dropletId}, ${action.previousDropletId}, ${address.regionId}, ${action.type},
              ${operation.resourceType}, ${action.status}, NULL, ${time},
              ${action.status === 'in-progress' ? null : time})`;
    if (hasOneAction(plan)) return [insert];
    const remember =
      position === 0
        ? statement`SET ${first} = LAST_INSERT_ID(), ${last} = LAST_INSERT_ID()`
        : statement`SET ${last} = LAST_INSERT_ID()`;
    return [insert, remember];
  });
}

/**
 * Where several addresses change, each is sent to its droplet once all have their fences: one of them may still be on
 * the droplet that another goes to, which the trigger `addresses_taken_over` denies to whoever begins an action there.
 */
function addressQueries(plan: Plan): Compilable[] {
  const { changes, settled } = plan;
  const isSeveral = changes.length > 1;
  const fenceQueries = changes.map(({ address, changes: { target_droplet_id, ...others } }, index) => {
    const number = numberOf(plan, 'last', index);
    const set = {
      ...others,
      ...(!isSeveral && { target_droplet_id }),
      ...(!settled && { pending_action_id: number }),
      last_action_id: number,
      generation: nextGeneration(address),
    };
    return statement`UPDATE addresses SET ${assignments(set)} WHERE id = ${address.id}`;
  });
  if (!isSeveral) return fenceQueries;
  const sendQueries = changes.flatMap(({ address, changes: { target_droplet_id } }) =>
    target_droplet_id === undefined
      ? []
      : [statement`UPDATE addresses SET target_droplet_id = ${target_droplet_id} WHERE id = ${address.id}`],
  );
  return [...fenceQueries, ...sendQueries];
}

function operationQuery(operation: Operation, plan: Plan, decision: Admitted): Compilable {
  return statement`
    INSERT INTO operations
      (id, kind, account_id, workflow_id, request, verdict, destroys_droplet_id, visible_wait)
    VALUES (${operation.id}, ${operation.kind}, ${operation.accountId}, ${workflowIdOf(operation)},
            ${JSON.stringify(operation)}, ${numberedQuery(plan, decision)}, ${plan.destroys?.dropletId ?? null}, 0)`;
}

/** The decision as it is stored, with the numbers of the actions. */
function numberedQuery(plan: Plan, decision: Admitted): Statement {
  const { changes } = plan;
  const billed = changes.flatMap(({ billing }, index) => (billing === null ? [] : [numberOf(plan, 'first', index)]));
  const further = changes.slice(1).map((_, index) => numberOf(plan, 'last', index + 1));
  const numbers = [
    statement`'$.actionId', ${numberOf(plan, 'last', 0)}`,
    ...further.map((number, index) => statement`${`$.furtherFences[${index}].actionId`}, ${number}`),
    ...billed.flatMap((number, index) => [
      statement`${`$.billing[${index}].actionId`}, ${number}`,
      statement`${`$.billing[${index}].eventId`}, CONCAT(${BILLING_EVENT_ID_PREFIX}, ${number})`,
    ]),
  ];
  return statement`JSON_SET(${JSON.stringify(decision)}, ${listOf(numbers)})`;
}

/** Its starter has a second before others look. */
function outboxQuery(operationId: OperationId, settled: boolean): Compilable {
  return statement`
    INSERT INTO outbox (operation_id, due_at, settled)
    VALUES (${operationId}, NOW(3) + INTERVAL 1 SECOND, ${settled ? 1 : 0})`;
}

function auditLogQueries(operation: Operation, plan: Plan, { address }: AddressChange, index: number): Compilable[] {
  const { requestedBy: requester, kind: action, id: operationId, accountId } = operation;
  if (!requester) return [];
  const further = kindOf(operation).detail(operation);
  const number = numberOf(plan, 'last', index);
  const detail = statement<string>`CONCAT('action ', ${number}, ${further === null ? '' : `, ${further}`})`;
  const subject = address.address;
  return [appendEntryQuery({ requester, accountId, action, subject, outcome: 'done', operationId, detail })];
}

/** The decision with the numbers of the actions, as the transaction has stored it. */
export function numbered(plan: Plan, decision: Admitted, written: readonly Written[]): Admitted {
  const numbers = numbersOf(plan, written);
  const billed = plan.changes.flatMap(({ billing }, index) => (billing === null ? [] : [numbers[index]?.first ?? 0]));
  const fences = decision.furtherFences?.map((fence, index) => ({ ...fence, actionId: numbers[index + 1]?.last ?? 0 }));
  return {
    ...decision,
    actionId: numbers[0]?.last ?? 0,
    ...(fences && { furtherFences: fences }),
    billing: decision.billing.map((change, index) => {
      const actionId = billed[index] ?? 0;
      return { ...change, actionId, eventId: billingEventId(actionId) };
    }),
  };
}

/** The numbers that the database gave to the first and to the last action of each address. */
function numbersOf(plan: Plan, written: readonly Written[]): { first: number; last: number }[] {
  const statementsOfEach = hasOneAction(plan) ? 1 : 2;
  let next = 0;
  return plan.changes.map(({ actions }) => {
    const first = next;
    next += statementsOfEach * actions.length;
    return { first: written[first]?.insertId ?? 0, last: written[next - statementsOfEach]?.insertId ?? 0 };
  });
}
