import { type DestinationStream, type Level, type Logger, pino } from 'pino';
import { finishedLine } from './finished-line.ts';

/** Options of {@link createLogger}. */
export interface LoggerOptions {
  /** Name of the process, on each line; default none. */
  name?: string;
  level: Level | 'silent';
  /** Where the lines go; default standard output. */
  destination?: DestinationStream;
}

/**
 * The logger of a process. Nothing here logs secrets; should an error of a library or a caller's path carry one all the
 * same, it is masked in the finished line, which is bounded and has no character that is not seen.
 */
export function createLogger({ name, level, destination }: LoggerOptions): Logger {
  const options = { ...(name !== undefined && { name }), level, hooks: { streamWrite: finishedLine } };
  return destination ? pino(options, destination) : pino(options);
}
