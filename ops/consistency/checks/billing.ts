import type { BillingEvents } from '../../../billing/consume.ts';
import type { BillableAction } from '../../../db/checked-operations.ts';
import { ACTION_TYPES } from '../../../domain/action-types.ts';
import type { BillingChange } from '../../../domain/billing.ts';
import type { Violation } from '../../../domain/consistency-report.ts';
import { billingEventId } from '../../../domain/names.ts';
import { computeStatement } from '../../billing-statement/hours.ts';

/** What the topic says against what the actions say: every settled change is there once, and the hours are the same. */
export function checkBilling(actions: BillableAction[], events: BillingEvents, now: Date): Violation[] {
  return [...checkIds(actions, events), ...checkHours(actions, events.changes, now)];
}

function checkIds(actions: BillableAction[], { changes, unreadable }: BillingEvents): Violation[] {
  const published = new Map<string, BillingChange>();
  const violations: Violation[] = unreadable.map(({ partition, offset, reason }) => ({
    invariant: 6,
    subject: `message ${partition}/${offset}`,
    detail: reason,
  }));
  for (const change of changes) {
    const earlier = published.get(change.eventId);
    published.set(change.eventId, change);
    if (earlier && JSON.stringify(earlier) !== JSON.stringify(change)) {
      violations.push({ invariant: 6, subject: change.eventId, detail: 'published twice with different content' });
    }
  }
  const settled = new Set(actions.map((action) => billingEventId(action.actionId)));
  for (const action of actions) {
    if (published.has(billingEventId(action.actionId))) continue;
    violations.push({
      invariant: 6,
      subject: `action ${action.actionId}`,
      detail: `${action.type} of ${action.address} took effect at ${action.effectiveAt.toISOString()}, but has no billing event`,
    });
  }
  for (const eventId of published.keys()) {
    if (!settled.has(eventId))
      violations.push({ invariant: 6, subject: eventId, detail: 'published, but nothing was settled' });
  }
  return violations;
}

/** The hours that consumers rebuild from the topic are those that the actions give. */
function checkHours(actions: BillableAction[], published: BillingChange[], now: Date): Violation[] {
  const settled = actions.flatMap((action) => toChange(action) ?? []);
  const accounts = new Set(settled.map((change) => change.accountId));
  return [...accounts].flatMap((accountId) => {
    const request = { accountId, from: new Date(0), to: now, now, microsPerHour: 1_000_000n };
    const fromTopic = idleByAddress(computeStatement(published, request).lines);
    return computeStatement(settled, request).lines.flatMap(({ address, idleMs }) => {
      const billed = fromTopic.get(address) ?? 0;
      if (billed === idleMs) return [];
      const detail = `account ${accountId}: ${billed} ms unassigned by the topic, ${idleMs} ms by the actions`;
      return [{ invariant: 6, subject: address, detail }];
    });
  });
}

function idleByAddress(lines: { address: string; idleMs: number }[]): Map<string, number> {
  return new Map(lines.map((line) => [line.address, line.idleMs]));
}

function toChange({ type, actionId, accountId, address, effectiveAt }: BillableAction): BillingChange | null {
  const { billed: kind } = ACTION_TYPES[type];
  if (kind === null) return null;
  return {
    eventId: billingEventId(actionId),
    kind,
    accountId,
    address,
    region: '',
    dropletId: null,
    actionId,
    effectiveAt: effectiveAt.toISOString(),
  };
}
