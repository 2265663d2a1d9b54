import { type LogEntry, makeTelemetryFilterString, Runtime } from '@temporalio/worker';
import type { Logger } from 'pino';
import { ListenError } from '../platform/http/listen-error.ts';

/**
 * Sends what Temporal's SDK logs through the process's own logger, and serves its metrics and the control plane's to
 * Prometheus at `metricsAddress`, if there is one. Call once, before any connection is made. Throws a
 * {@link ListenError} when it cannot listen there.
 */
export function installTemporalRuntime(logger: Logger, metricsAddress?: string): void {
  try {
    install(logger, metricsAddress);
  } catch (error) {
    if (metricsAddress === undefined) throw error;
    const [, host = '', port] = /^\[?(.*?)\]?:(\d+)$/.exec(metricsAddress) ?? [];
    const isTaken = error instanceof Error && error.message.includes('Address already in use');
    const address = { host, port: Number(port), portSetting: 'METRICS_ADDRESS' };
    throw isTaken ? new ListenError(address, error, 'EADDRINUSE') : new ListenError(address, error);
  }
}

function install(logger: Logger, metricsAddress: string | undefined): void {
  const log = (level: 'trace' | 'debug' | 'info' | 'warn' | 'error') => (message: string, meta?: object) =>
    logger[level](meta ?? {}, message);
  Runtime.install({
    shutdownSignals: [],
    // Its warnings are about acknowledgments that overtook their activity, which happens all the time here.
    telemetryOptions: {
      ...(metricsAddress !== undefined && { metrics: { prometheus: { bindAddress: metricsAddress } } }),
      logging: { filter: makeTelemetryFilterString({ core: 'ERROR', other: 'ERROR' }), forward: {} },
    },
    logger: {
      log: (level, message, meta) => log(toPinoLevel(level))(message, meta),
      trace: log('trace'),
      debug: log('debug'),
      info: log('info'),
      warn: log('warn'),
      error: log('error'),
    },
  });
}

function toPinoLevel(level: LogEntry['level']): 'trace' | 'debug' | 'info' | 'warn' | 'error' {
  switch (level) {
    case 'TRACE':
      return 'trace';
    case 'DEBUG':
      return 'debug';
    case 'INFO':
      return 'info';
    case 'WARN':
      return 'warn';
    case 'ERROR':
      return 'error';
  }
}
