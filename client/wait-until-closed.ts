import type { Client } from '@temporalio/client';
import { type Operation, workflowIdOf } from '../domain/operation.ts';

/**
 * Waits until the run that stands in the operation's way is closed, or `deadline` (epoch ms) passes. How it ended, and
 * even whether Temporal answered, does not matter to the caller: the next start shows it.
 */
export async function waitUntilClosed(temporal: Client, operation: Operation, deadline: number): Promise<void> {
  const handle = temporal.workflow.getHandle(workflowIdOf(operation));
  await temporal.withDeadline(deadline, () => handle.result()).catch(() => {});
}
