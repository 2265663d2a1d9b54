import { setTimeout as sleep } from 'node:timers/promises';
import { NativeConnection } from '@temporalio/worker';
import type { Logger } from 'pino';

const PAUSE_MS = 1_000;

/** Connects to Temporal, trying again until it answers; null when `signal` is aborted before that. */
export async function connectToTemporal(
  address: string,
  logger: Logger,
  signal: AbortSignal,
): Promise<NativeConnection | null> {
  while (!signal.aborted) {
    try {
      return await NativeConnection.connect({ address });
    } catch (error) {
      logger.warn({ err: error, address }, 'Temporal cannot be reached yet');
      await sleep(PAUSE_MS, null, { signal }).catch(() => {});
    }
  }
  return null;
}
