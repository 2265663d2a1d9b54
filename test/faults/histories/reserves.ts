import { type ChangeRecord, type ClientRecord, isAddressChange } from '../clients/record.ts';
import { AFTERMATH, base, type HistoryOperation, type ListedAction, UNNUMBERED } from './operation.ts';

/** A reserve of an address; one for a droplet also opens the action that takes it there. */
export function reserve(record: ChangeRecord, address: string, action: number | null): HistoryOperation {
  const { droplet } = record.request;
  const onwards = droplet === null ? {} : { change: 'assign' as const, droplet, action: action ?? UNNUMBERED };
  return { ...base(record, address), kind: 'reserve', ...onwards };
}

/** Reserves without an answer name no address: they may be on any that was reserved more often than was answered. */
export function unansweredReserves(
  records: ClientRecord[],
  actions: ListedAction[],
  complaints: string[],
): HistoryOperation[] {
  const unknown = records
    .filter(isAddressChange)
    .filter(({ request, outcome }) => request.kind === 'reserve' && outcome.kind === 'unknown');
  const operations: HistoryOperation[] = [];
  const surplusOf = new Map<number, number>();
  for (const [key, surplus] of surpluses('reserve', 'reserve_ip', records, actions)) {
    const [accountId, address] = key;
    if (surplus < 0) complaints.push(`${address} was given to account ${accountId}, but there is no action of it`);
    if (surplus <= 0) continue;
    surplusOf.set(accountId, (surplusOf.get(accountId) ?? 0) + surplus);
    const ipVersion = address.includes(':') ? 6 : 4;
    for (const record of unknown.filter(
      ({ account, request }) => account === accountId && request.ipVersion === ipVersion,
    )) {
      operations.push({ ...reserve(record, address, null), return: record.return + AFTERMATH, maybe: true });
    }
  }
  for (const [accountId, surplus] of surplusOf) {
    const possible = unknown.filter(({ account }) => account === accountId).length;
    if (surplus <= possible) continue;
    complaints.push(
      `account ${accountId} has ${surplus} addresses it was not told of, of ${possible} unanswered reserves`,
    );
  }
  return operations;
}

/** Releases that happened more or less often than clients can have been told. */
export function miscountedReleases(records: ClientRecord[], actions: ListedAction[]): string[] {
  return surpluses('release', 'release_ip', records, actions).flatMap(([[accountId, address], surplus]) => {
    const unknown = records
      .filter(isAddressChange)
      .filter(
        ({ request, outcome, account }) =>
          request.kind === 'release' &&
          request.address === address &&
          account === accountId &&
          (outcome.kind === 'unknown' || outcome.kind === 'unexpected'),
      ).length;
    if (surplus >= 0 && surplus <= unknown) return [];
    return [`release of ${address} by account ${accountId}: ${surplus} more than were answered, ${unknown} unanswered`];
  });
}

/** For each account and address: how many more actions of a type there are than accepted requests. */
function surpluses(
  kind: 'reserve' | 'release',
  type: string,
  records: ClientRecord[],
  actions: ListedAction[],
): [key: [accountId: number, address: string], surplus: number][] {
  const counts = new Map<string, { key: [number, string]; surplus: number }>();
  const add = (accountId: number, address: string, by: number) => {
    const entry = counts.get(`${accountId} ${address}`) ?? { key: [accountId, address], surplus: 0 };
    counts.set(`${accountId} ${address}`, { ...entry, surplus: entry.surplus + by });
  };
  for (const action of actions) if (action.type === type) add(action.accountId, action.address, 1);
  for (const { request, outcome, account } of records) {
    if (request.kind === kind && outcome.kind === 'accepted') add(account, outcome.address, -1);
  }
  return [...counts.values()].map(({ key, surplus }) => [key, surplus]);
}
