import type { Client } from '@temporalio/client';
import { type Database, ping } from '../db/database.ts';
import type { HealthProbe } from './context.ts';

const TIMEOUT_MS = 1_000;

/** Whether MySQL answers within a second. */
export function mysqlProbe(db: Database): HealthProbe {
  return () => problemOf(() => ping(db, TIMEOUT_MS));
}

/** Whether Temporal answers about the namespace within a second. */
export function temporalProbe(temporal: Client): HealthProbe {
  const { namespace } = temporal.options;
  return () =>
    problemOf(() =>
      temporal.withDeadline(Date.now() + TIMEOUT_MS, () => temporal.workflowService.describeNamespace({ namespace })),
    );
}

async function problemOf(probe: () => Promise<unknown>): Promise<string | null> {
  try {
    await probe();
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
