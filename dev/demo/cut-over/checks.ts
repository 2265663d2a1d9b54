import { pino } from 'pino';
import { readBillingEvents } from '../../../billing/consume.ts';
import type { Database } from '../../../db/database.ts';
import { addressFromBytes } from '../../../domain/address.ts';
import { billingEventId } from '../../../domain/names.ts';
import { readNetworkFile } from '../../../host/drivers/simulated.ts';
import { messageOf } from '../../environment/errors.ts';
import { inTheEnd } from '../../kit/until.ts';
import type { CustomerEnd } from './clients/record.ts';
import type { WalkEnvironment } from './environment.ts';
import { type Forwarded, readReceived, UPSTREAM_NAMES } from './logs.ts';

/** The last billing event is published a moment after its action is completed. */
const SETTLE_WITHIN_MS = 60_000;

/** Whether every request that a gateway passed on came to its upstream, once, and to no other. */
export async function checkReceived(environment: WalkEnvironment, forwarded: readonly Forwarded[]): Promise<string[]> {
  const problems: string[] = [];
  const ids = new Set(forwarded.map(({ requestId }) => requestId));
  if (ids.size !== forwarded.length) problems.push('two requests have one id');
  for (const side of UPSTREAM_NAMES) {
    const sent = new Set(forwarded.filter((one) => one.upstream === side).map(({ requestId }) => requestId));
    const received = (await readReceived(environment.logFiles[side])).filter((id) => ids.has(id));
    const once = new Set(received);
    for (const id of sent) if (!once.has(id)) problems.push(`request ${id} did not come to ${side}`);
    for (const id of once) if (!sent.has(id)) problems.push(`request ${id} came to ${side}, and was sent to the other`);
    if (once.size !== received.length) problems.push(`${received.length - once.size} requests came to ${side} again`);
  }
  return problems;
}

/**
 * Whether what customers were told is what is so: in the database, on the hosts and in the bills. What has not come to
 * its end is waited for; answers what is wrong even then.
 */
export function checkTold(
  environment: WalkEnvironment,
  ends: readonly CustomerEnd[],
  signal: AbortSignal,
): Promise<string[]> {
  const look = async () => [
    ...(await wrongActions(environment.db, ends)),
    ...(await misplaced(environment.db, environment, ends)),
    ...(await wrongBills(environment.db, environment)),
  ];
  return inTheEnd(look, SETTLE_WITHIN_MS, signal);
}

/** Whether `npm run consistency` finds nothing. */
export async function checkConsistencyByCommand(environment: WalkEnvironment): Promise<string[]> {
  try {
    await environment.command('consistency');
    return [];
  } catch (error) {
    return [messageOf(error)];
  }
}

/** Accounts for which there are other actions than they were told of, or some that did not complete. */
async function wrongActions(db: Database, ends: readonly CustomerEnd[]): Promise<string[]> {
  const rows = await db
    .selectFrom('actions')
    .select(({ fn }) => ['account_id', 'type', 'status', fn.countAll<number>().as('count')])
    .where('address_id', 'is not', null)
    .groupBy(['account_id', 'type', 'status'])
    .execute();
  const describe = (accountId: number, type: string, status: string, count: number) =>
    `account ${accountId}: ${count} × ${type} ${status}`;
  const found = rows.map(({ account_id, type, status, count }) => describe(account_id, type, status, Number(count)));
  const told = ends.flatMap(({ accountId, told }) =>
    Object.entries(told).flatMap(([type, count]) =>
      count === 0 ? [] : [describe(accountId, type, 'completed', count)],
    ),
  );
  return differences('actions', told, found);
}

/** Addresses that are not where their customers were told, in the database or on the hosts. */
async function misplaced(db: Database, environment: WalkEnvironment, ends: readonly CustomerEnd[]): Promise<string[]> {
  const rows = await db
    .selectFrom('addresses')
    .select(['address', 'account_id', 'droplet_id', 'pending_action_id'])
    .where('state', '=', 'reserved')
    .execute();
  const held = ends.flatMap(({ accountId, held }) => (held ? [{ accountId, ...held }] : []));
  const stored = rows.map(
    ({ address, account_id, droplet_id, pending_action_id }) =>
      `${addressFromBytes(address)} of ${account_id} on ${droplet_id ?? 'nothing'}${pending_action_id === null ? '' : ', locked'}`,
  );
  const told = held.map(({ ip, accountId, dropletId }) => `${ip} of ${accountId} on ${dropletId ?? 'nothing'}`);
  const answering = environment.networkFiles
    .flatMap(readNetworkFile)
    .map(({ address, dropletId }) => `${address} on ${dropletId}`);
  const toldToAnswer = held.flatMap(({ ip, dropletId }) => (dropletId === null ? [] : [`${ip} on ${dropletId}`]));
  return [...differences('the database', told, stored), ...differences('the hosts', toldToAnswer, answering)];
}

/** Completed actions without a billing event, and events of others. */
async function wrongBills(db: Database, environment: WalkEnvironment): Promise<string[]> {
  const logger = pino({ level: 'silent' });
  const { changes } = await readBillingEvents({ brokers: environment.kafkaBrokers.split(','), logger });
  const actions = await db
    .selectFrom('actions')
    .select('id')
    .where('status', '=', 'completed')
    .where('address_id', 'is not', null)
    .execute();
  const published = [...new Set(changes.map(({ eventId }) => eventId))];
  return differences(
    'the bills',
    actions.map(({ id }) => billingEventId(id)),
    published,
  );
}

function differences(where: string, told: readonly string[], found: readonly string[]): string[] {
  const missing = withoutOnce(told, found).map((one) => `${where}: missing: ${one}`);
  const tooMany = withoutOnce(found, told).map((one) => `${where}: nobody was told: ${one}`);
  return [...missing, ...tooMany];
}

/** The first list without the second, where an item that is there twice must be taken twice. */
function withoutOnce(items: readonly string[], taken: readonly string[]): string[] {
  const left = new Map<string, number>();
  for (const item of taken) left.set(item, (left.get(item) ?? 0) + 1);
  return items.filter((item) => {
    const count = left.get(item) ?? 0;
    left.set(item, count - 1);
    return count <= 0;
  });
}
