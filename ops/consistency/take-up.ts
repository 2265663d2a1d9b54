import type { Client } from '@temporalio/client';
import { holdsFence, type OpenOperation, openOperations } from '../../db/checked-operations.ts';
import type { Database } from '../../db/database.ts';
import { addToOutbox } from '../../db/outbox.ts';
import type { TakenUp } from '../../domain/consistency-report.ts';
import { inBatches, statusOf } from './checks/workflows.ts';

/** What {@link takeUpOperations} works with. */
export interface TakeUpOptions {
  db: Database;
  temporal: Client;
  /** Called after every page. */
  onProgress?: () => void;
}

/**
 * Has every operation started again that holds a fence and has no open workflow any more: it was terminated, or ended by
 * the reset of an older run. It goes on from what MySQL says, so repeating what it did before changes nothing. Nothing is
 * released: whether the operation completes or is undone is its workflow's to say. The start itself is the outbox's.
 */
export async function takeUpOperations({ db, temporal, onProgress = () => {} }: TakeUpOptions): Promise<TakenUp> {
  const report: TakenUp = { open: 0, takenUp: [] };
  for await (const page of openOperations(db)) {
    report.open += page.length;
    // After an outage of Temporal these are many, and it has enough to do with their starts.
    const started = page.filter(({ waitsForStart }) => !waitsForStart);
    const looked = await inBatches(started, async (operation) =>
      (await isOrphan(db, temporal, operation)) ? operation : null,
    );
    const orphans = looked.flatMap((operation) => operation ?? []);
    await addToOutbox(
      db,
      orphans.map(({ operationId }) => operationId),
    );
    report.takenUp.push(...orphans.map(({ workflowId }) => workflowId));
    onProgress();
  }
  return report;
}

async function isOrphan(db: Database, temporal: Client, operation: OpenOperation): Promise<boolean> {
  if ((await statusOf(temporal, operation.workflowId)) === 'RUNNING') return false;
  // It may have settled and closed between the two looks.
  return holdsFence(db, operation.actionId);
}
