import { setTimeout as sleep } from 'node:timers/promises';
import { NativeConnection, TransportError, type Worker } from '@temporalio/worker';
import type { Logger } from 'pino';
import type { TemporalSettings } from '../platform/config/servers.ts';
import { aborted } from '../platform/config/termination.ts';
import { temporalConnectionOptions } from '../platform/temporal/connection.ts';

const PAUSE_MS = 1_000;

/** Connects to Temporal, trying again until it answers; null when `signal` is aborted before that. */
export function connectToTemporal(
  settings: TemporalSettings,
  logger: Logger,
  signal: AbortSignal,
): Promise<NativeConnection | null> {
  return untilReachable(
    () => NativeConnection.connect(temporalConnectionOptions(settings)),
    signal,
    (error) => {
      logger.warn({ err: error, address: settings.address }, 'Temporal cannot be reached; trying again');
    },
  );
}

/** Makes a worker, again while Temporal goes away before it is made; null when `signal` is aborted before that. */
export function createWhenReachable(
  create: () => Promise<Worker>,
  logger: Logger,
  signal: AbortSignal,
): Promise<Worker | null> {
  return untilReachable(create, signal, (error) => {
    if (!(error instanceof TransportError)) throw error;
    logger.warn({ err: error }, 'Temporal went away while the worker was made; trying again');
  });
}

/** Tries until it succeeds; `onFailure` throws what is not to be tried again. Null when `signal` is aborted before that. */
async function untilReachable<Result>(
  attempt: () => Promise<Result>,
  signal: AbortSignal,
  onFailure: (error: unknown) => void,
): Promise<Result | null> {
  const stopped = aborted(signal).then(() => null);
  while (!signal.aborted) {
    try {
      return await Promise.race([attempt(), stopped]);
    } catch (error) {
      onFailure(error);
      await sleep(PAUSE_MS, null, { signal }).catch(() => {});
    }
  }
  return null;
}
