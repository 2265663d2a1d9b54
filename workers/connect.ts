import { setTimeout as sleep } from 'node:timers/promises';
import { NativeConnection } from '@temporalio/worker';
import type { Logger } from 'pino';
import type { TemporalSettings } from '../platform/config/servers.ts';
import { aborted } from '../platform/config/termination.ts';
import { temporalConnectionOptions } from '../platform/temporal/connection.ts';

const PAUSE_MS = 1_000;

/** Connects to Temporal, trying again until it answers; null when `signal` is aborted before that. */
export async function connectToTemporal(
  settings: TemporalSettings,
  logger: Logger,
  signal: AbortSignal,
): Promise<NativeConnection | null> {
  const stopped = aborted(signal).then(() => null);
  while (!signal.aborted) {
    try {
      return await Promise.race([NativeConnection.connect(temporalConnectionOptions(settings)), stopped]);
    } catch (error) {
      logger.warn({ err: error, address: settings.address }, 'Temporal cannot be reached; trying again');
      await sleep(PAUSE_MS, null, { signal }).catch(() => {});
    }
  }
  return null;
}
