import { setTimeout as sleep } from 'node:timers/promises';
import { NativeConnection } from '@temporalio/worker';
import type { Logger } from 'pino';
import type { TemporalSettings } from '../config/servers.ts';
import { temporalConnectionOptions } from '../temporal/connection.ts';

const PAUSE_MS = 1_000;

/** Connects to Temporal, trying again until it answers; null when `signal` is aborted before that. */
export async function connectToTemporal(
  settings: TemporalSettings,
  logger: Logger,
  signal: AbortSignal,
): Promise<NativeConnection | null> {
  while (!signal.aborted) {
    try {
      return await NativeConnection.connect(temporalConnectionOptions(settings));
    } catch (error) {
      logger.warn({ err: error, address: settings.address }, 'Temporal cannot be reached yet');
      await sleep(PAUSE_MS, null, { signal }).catch(() => {});
    }
  }
  return null;
}
