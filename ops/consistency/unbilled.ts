import type { Client } from '@temporalio/client';
import type { BillingEvents } from '../../billing/consume.ts';
import { actionsEndedSince, type EndedAction, isKnown } from '../../db/checked-operations.ts';
import type { Database } from '../../db/database.ts';
import { addToOutbox } from '../../db/outbox.ts';
import type { Violation } from '../../domain/consistency-report.ts';
import { billingEventId, billingWorkflowId } from '../../domain/names.ts';
import { inBatches, statusOf } from './checks/workflows.ts';

/** What {@link billWhatIsMissing} works with. */
export interface UnbilledOptions {
  db: Database;
  temporal: Client;
  /** Reads what was published at a time or later. */
  readBilling(since: Date): Promise<BillingEvents>;
  /** Changes that were settled from then on are looked at … */
  since: Date;
  /** … up to then, which leaves those that are about to be published out. */
  until: Date;
}

/** An event may bear an earlier time than the settled change, by as much as the clocks differ. */
const CLOCKS_MS = 60_000;

/**
 * Finds settled changes without a billing event, as a workflow leaves them that was terminated after it had settled,
 * and has each told again by its own operation. One whose event waits for Kafka in a workflow of its own is well.
 * Answers those that could not be taken up, because nothing is known of their operation.
 */
export async function billWhatIsMissing(options: UnbilledOptions): Promise<{ takenUp: string[]; lost: Violation[] }> {
  const { db, temporal, readBilling, since, until } = options;
  const { changes } = await readBilling(new Date(since.getTime() - CLOCKS_MS));
  const published = new Set(changes.map(({ eventId }) => eventId));
  const takenUp: { operationId: string; eventId: string }[] = [];
  const lost: Violation[] = [];
  for await (const page of actionsEndedSince(db, since)) {
    const missing = page.filter((action) => isBillable(action, until) && !published.has(billingEventId(action.id)));
    await inBatches(missing, async ({ id, operationId }) => {
      // Of another stack on the same database, which does its own billing.
      if (operationId === null) return;
      if ((await statusOf(temporal, billingWorkflowId(billingEventId(id)))) === 'RUNNING') return;
      const detail = 'has no billing event, and nothing is known of its operation';
      if (await isKnown(db, operationId)) takenUp.push({ operationId, eventId: billingEventId(id) });
      else lost.push({ invariant: 6, subject: `action ${id}`, detail });
    });
  }
  await addToOutbox(
    db,
    takenUp.map(({ operationId }) => operationId),
    { settled: true },
  );
  return { takenUp: takenUp.map(({ eventId }) => eventId), lost };
}

function isBillable({ addressId, status, endedAt }: EndedAction, until: Date): boolean {
  return addressId !== null && status === 'completed' && endedAt < until;
}
