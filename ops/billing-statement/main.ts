import { InvalidArgumentError } from 'commander';
import { type BillingEvents, readBillingEvents } from '../../billing/consume.ts';
import { runProcess } from '../../platform/config/run-process.ts';
import { ENVIRONMENT_FILE, readEnvironmentFile } from '../../platform/env-file.ts';
import { createLogger } from '../../platform/logging/logger.ts';
import { commandLine, print, printJson } from '../../platform/text/print.ts';
import { shown } from '../../platform/text/visible.ts';
import { formatTable } from '../admin/table.ts';
import { computeStatement, type Statement } from './hours.ts';
import { DEFAULT_RATE, formatDollars, parseDollars } from './money.ts';
import { parseBillingConfiguration } from './settings.ts';

interface Options {
  account: number;
  from: Date;
  to: Date;
  rate: bigint;
  json: boolean;
}

const command = commandLine('billing:statement')
  .description(
    'Computes what an account owes for addresses that it reserved and did not assign, from the billing topic alone. Reads KAFKA_BROKERS, or .dev/env.',
  )
  .requiredOption('--account <id>', 'number of the account', parseAccount)
  .requiredOption('--from <time>', 'RFC 3339, or a date for its midnight in UTC', parseTime)
  .requiredOption('--to <time>', 'not included', parseTime)
  .option('--rate <dollars>', 'dollars per hour', parseRate, parseDollars(DEFAULT_RATE))
  .option('--json', 'the statement as JSON, with every interval', false);

async function main(): Promise<void> {
  const options: Options = command.parse().opts();
  if (options.from >= options.to) command.error('error: --from must be before --to');
  const environment = { ...(await readEnvironmentFile(ENVIRONMENT_FILE)), ...process.env };
  const { kafka, LOG_LEVEL: level } = parseBillingConfiguration(environment);
  const events = await readBillingEvents({ ...kafka, logger: createLogger({ level, destination: process.stderr }) });
  const statement = computeStatement(events.changes, {
    accountId: options.account,
    from: options.from,
    to: options.to,
    now: new Date(),
    microsPerHour: options.rate,
  });
  if (options.json) printJson(toDocument(options, statement, events));
  else print(toText(options, statement, events));
}

function toText(options: Options, statement: Statement, { unreadable }: BillingEvents): string {
  const { lines, chargeMicros, repeats, conflicts } = statement;
  const rows = lines.map((line) => [
    line.address,
    line.region,
    line.intervals.length,
    hours(line.idleMs),
    formatDollars(line.chargeMicros),
    line.intervals.some(({ open }) => open) ? 'still idle' : '',
  ]);
  const total = lines.reduce((sum, line) => sum + line.idleMs, 0);
  return [
    `Account ${options.account}, ${options.from.toISOString()} to ${options.to.toISOString()}, ${formatDollars(options.rate)} USD an hour`,
    '',
    formatTable(
      ['ADDRESS', 'REGION', 'TIMES', 'IDLE HOURS', 'USD', ''],
      [...rows, ['Total', '', null, hours(total), formatDollars(chargeMicros), '']],
    ),
    ...(repeats > 0 ? ['', `${repeats} repeated messages were dropped.`] : []),
    ...conflicts.map((id) => shown`Two messages under the id ${id} differ; the first counts.`),
    ...unreadable.map(
      ({ partition, offset, reason }) => shown`Not read: partition ${partition} offset ${offset}: ${reason}`,
    ),
  ].join('\n');
}

function toDocument(options: Options, statement: Statement, { unreadable }: BillingEvents): unknown {
  const { lines, chargeMicros, repeats, conflicts } = statement;
  return {
    account_id: options.account,
    from: options.from.toISOString(),
    to: options.to.toISOString(),
    rate_usd: formatDollars(options.rate),
    addresses: lines.map((line) => ({
      address: line.address,
      region: line.region,
      idle_hours: line.idleMs / 3_600_000,
      charge_usd: formatDollars(line.chargeMicros),
      intervals: line.intervals.map(({ from, to, open }) => ({
        from: from.toISOString(),
        to: to.toISOString(),
        open,
      })),
    })),
    charge_usd: formatDollars(chargeMicros),
    repeated_messages: repeats,
    conflicting_ids: conflicts,
    unreadable_messages: unreadable,
  };
}

function hours(milliseconds: number): string {
  return (milliseconds / 3_600_000).toFixed(4);
}

function parseAccount(text: string): number {
  const id = Number(text);
  if (!Number.isSafeInteger(id) || id <= 0) throw new InvalidArgumentError('The number of an account is needed.');
  return id;
}

function parseTime(text: string): Date {
  const date = /^(\d{4}-\d{2}-\d{2})(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2}))?$/.exec(text)?.[1] ?? '';
  const time = new Date(text);
  // JavaScript takes the 30th of February for the 2nd of March.
  if (Number.isNaN(time.getTime()) || !isDate(date))
    throw new InvalidArgumentError('A date or an RFC 3339 time is needed.');
  return time;
}

function isDate(text: string): boolean {
  const date = new Date(text);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

function parseRate(text: string): bigint {
  try {
    return parseDollars(text);
  } catch (error) {
    throw new InvalidArgumentError(error instanceof RangeError ? error.message : String(error));
  }
}

runProcess(main);
