import { setTimeout as sleep } from 'node:timers/promises';
import { NativeConnection, TransportError, type Worker } from '@temporalio/worker';
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

/** Makes a worker, again while Temporal goes away before it is made; null when `signal` is aborted before that. */
export async function createWhenReachable(
  create: () => Promise<Worker>,
  logger: Logger,
  signal: AbortSignal,
): Promise<Worker | null> {
  const stopped = aborted(signal).then(() => null);
  while (!signal.aborted) {
    try {
      return await Promise.race([create(), stopped]);
    } catch (error) {
      if (!(error instanceof TransportError)) throw error;
      logger.warn({ err: error }, 'Temporal went away while the worker was made; trying again');
      await sleep(PAUSE_MS, null, { signal }).catch(() => {});
    }
  }
  return null;
}
