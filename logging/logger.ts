import { type DestinationStream, type Level, type Logger, pino } from 'pino';

/** Options of {@link createLogger}. */
export interface LoggerOptions {
  /** Name of the process, on each line; default none. */
  name?: string;
  level: Level | 'silent';
  /** Where the lines go; default standard output. */
  destination?: DestinationStream;
}

/**
 * What looks like a secret wherever it stands in a line: tokens of customers and hosts, a bearer token of any kind, and
 * the password in an address.
 */
const SECRETS: readonly [pattern: RegExp, instead: string][] = [
  [/\b(riph?_)[A-Za-z0-9_-]{16,}/g, '$1…'],
  [/\b(Bearer +)[\w.~+/=-]{8,}/gi, '$1…'],
  [/(\w+:\/\/[^\s:/@"]+:)[^\s@"]+@/g, '$1…@'],
];

/**
 * The logger of a process. Nothing here logs secrets; should an error of a library or a caller's path carry one all the
 * same, it is masked in the finished line.
 */
export function createLogger({ name, level, destination }: LoggerOptions): Logger {
  const options = { ...(name !== undefined && { name }), level, hooks: { streamWrite: withoutSecrets } };
  return destination ? pino(options, destination) : pino(options);
}

/** The same text with what looks like a secret masked. */
export function withoutSecrets(text: string): string {
  return SECRETS.reduce((masked, [pattern, instead]) => masked.replace(pattern, instead), text);
}
