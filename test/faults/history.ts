import { addressFromBytes } from '../../domain/address.ts';
import type { ClientRecord } from './clients/record.ts';

/** An action as its owner can list it when all is over. */
export interface ListedAction {
  id: number;
  accountId: number;
  type: string;
  status: 'in-progress' | 'completed' | 'errored';
  address: string;
}

/** One line for the checker; `linearizability/model.go` says what the fields mean. */
export interface HistoryOperation {
  kind: 'reserve' | 'release' | 'accept' | 'end' | 'open' | 'read' | 'refuse';
  address: string;
  call: number;
  return: number;
  client: number;
  told: string;
  account: number;
  maybe?: boolean;
  change?: 'assign' | 'unassign';
  droplet?: number;
  action?: number;
  unanswered?: boolean;
  status?: string;
  found?: boolean;
  locked?: boolean;
  reason?: string;
}

/** The histories of all addresses, and what was wrong already before anybody looks at an order. */
export interface History {
  operations: HistoryOperation[];
  complaints: string[];
}

/** How long after a connection broke its request may still take effect, in microseconds: the admission window and more. */
const AFTERMATH = 15_000_000;
/** The number that the model knows an action by whose number no client was told. */
const UNNUMBERED = -1;

/** An IPv4 address from the `resource_id` of an action. */
export function addressOfResource(resourceId: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(resourceId);
  return addressFromBytes(bytes);
}

/**
 * Makes histories of what clients were told. An accepted action takes effect twice, when it is accepted and when it
 * ends; the end lies between its acceptance and the first time that anybody saw it. What had no answer may have
 * happened or not; which actions there are tells.
 */
export function toHistory(records: ClientRecord[], actions: ListedAction[], endOfRun: number): History {
  const complaints: string[] = [];
  const operations: HistoryOperation[] = [];
  const listed = new Map(actions.map((action) => [action.id, action]));
  const seenEnded = firstSeenEnded(records);
  const answered = new Set<number>();

  for (const record of records) {
    const { request, outcome } = record;
    if (outcome.kind === 'unexpected') {
      complaints.push(`${tell(record)}`);
      // Whatever it says, it may have happened.
      if (isChange(record)) operations.push(...maybe(record));
      continue;
    }
    if (request.kind === 'show') operations.push(...read(record, request.address));
    else if (request.kind === 'poll') {
      if (outcome.kind === 'action' && outcome.status === 'in-progress') {
        operations.push({ ...base(record, request.address), kind: 'open', action: request.action });
      }
    } else if (outcome.kind === 'accepted') {
      const accepted = acceptance(record, outcome.address, outcome.action);
      operations.push(accepted);
      if (outcome.action === null) continue;
      answered.add(outcome.action);
      const action = listed.get(outcome.action);
      if (!action) complaints.push(`${tell(record)}, but there is no such action`);
      else if (action.status !== 'in-progress') {
        operations.push(endOf(action, accepted, seenEnded.get(action.id) ?? endOfRun));
      }
    } else if (outcome.kind === 'refused') operations.push(...refusal(record, complaints));
    else if (outcome.kind === 'unknown') operations.push(...maybe(record));
  }
  for (const action of actions) {
    if (answered.has(action.id) || changeOf(action) === null || action.status === 'in-progress') continue;
    const unanswered = { call: 0, return: endOfRun, client: 0, account: action.accountId, unanswered: true };
    operations.push({ ...endOf(action, { ...unanswered, address: action.address }, endOfRun), unanswered: true });
  }
  for (const action of actions.filter(({ status }) => status === 'in-progress')) {
    complaints.push(`action ${action.id} (${action.type} of ${action.address}) has not ended`);
  }
  operations.push(...unansweredReserves(records, actions, complaints));
  complaints.push(...miscounted('release', 'release_ip', records, actions));
  return { operations, complaints };
}

function isChange({ request }: ClientRecord): boolean {
  return request.kind !== 'show' && request.kind !== 'poll';
}

function base(record: ClientRecord, address: string) {
  const { call, client, account } = record;
  return { address, call, return: record.return, client, account, told: tell(record) };
}

function tell({ request, outcome, account }: ClientRecord): string {
  const { kind, ...what } = request;
  return `${kind} ${JSON.stringify({ ...what, account })} → ${JSON.stringify(outcome)}`;
}

function firstSeenEnded(records: ClientRecord[]): Map<number, number> {
  const first = new Map<number, number>();
  for (const { request, outcome, return: at } of records) {
    if (request.kind !== 'poll' || outcome.kind !== 'action' || outcome.status === 'in-progress') continue;
    first.set(request.action, Math.min(at, first.get(request.action) ?? at));
  }
  return first;
}

function acceptance(record: ClientRecord, address: string, action: number | null): HistoryOperation {
  const { kind } = record.request;
  if (kind === 'reserve' || kind === 'release') return { ...base(record, address), kind };
  return { ...base(record, address), kind: 'accept', ...changeAsked(record), action: action ?? UNNUMBERED };
}

function changeAsked({ request }: ClientRecord): { change: 'assign' | 'unassign'; droplet: number } {
  if (request.kind === 'assign') return { change: 'assign', droplet: request.droplet ?? 0 };
  return { change: 'unassign', droplet: 0 };
}

function endOf(
  action: ListedAction,
  from: Pick<HistoryOperation, 'address' | 'call' | 'client' | 'account'>,
  seenAt: number,
): HistoryOperation {
  const { id, type, status, address } = action;
  const { call, client, account } = from;
  const told = `action ${id} (${type}) is ${status}`;
  const change = changeOf(action) ?? 'assign';
  return { kind: 'end', address, call, return: seenAt, client, account, told, change, action: id, status };
}

function changeOf({ type }: ListedAction): 'assign' | 'unassign' | null {
  if (type === 'assign_ip') return 'assign';
  return type === 'unassign_ip' ? 'unassign' : null;
}

function read(record: ClientRecord, address: string): HistoryOperation[] {
  const { outcome } = record;
  if (outcome.kind === 'missing') return [{ ...base(record, address), kind: 'read', found: false }];
  if (outcome.kind !== 'address') return [];
  const { droplet, locked } = outcome;
  return [{ ...base(record, address), kind: 'read', found: true, droplet: droplet ?? 0, locked }];
}

const REASONS: [pattern: RegExp, reason: string][] = [
  [/The reserved IP already has a pending event/, 'pending'],
  [/Droplet already has a (pending event|reserved IP)/, 'occupied'],
  [/already assigned to this Droplet/, 'already_assigned'],
  [/is not assigned to a Droplet/, 'not_assigned'],
];
/** Refusals that say nothing about one address. */
const NO_PLACE = /limit of reserved IPs|no reserved IP available/;

function refusal(record: ClientRecord, complaints: string[]): HistoryOperation[] {
  const { request, outcome } = record;
  if (outcome.kind !== 'refused' || request.kind === 'show' || request.kind === 'poll') return [];
  if (request.address === null) {
    if (!NO_PLACE.test(outcome.message)) complaints.push(tell(record));
    return [];
  }
  const reason = outcome.status === 404 ? 'not_found' : REASONS.find(([pattern]) => pattern.test(outcome.message))?.[1];
  if (reason === undefined) {
    complaints.push(tell(record));
    return [];
  }
  return [{ ...base(record, request.address), kind: 'refuse', reason, ...changeAsked(record) }];
}

function maybe(record: ClientRecord): HistoryOperation[] {
  const { request } = record;
  if (request.kind === 'show' || request.kind === 'poll' || request.address === null) return [];
  return [{ ...acceptance(record, request.address, null), return: record.return + AFTERMATH, maybe: true }];
}

/** Reserves without an answer name no address: they may be on any that was reserved more often than was answered. */
function unansweredReserves(
  records: ClientRecord[],
  actions: ListedAction[],
  complaints: string[],
): HistoryOperation[] {
  const unknown = records.filter(({ request, outcome }) => request.kind === 'reserve' && outcome.kind === 'unknown');
  const operations: HistoryOperation[] = [];
  const surplusOf = new Map<number, number>();
  for (const [key, surplus] of surpluses('reserve', 'reserve_ip', records, actions)) {
    const [accountId = 0, address = ''] = key;
    if (surplus < 0) complaints.push(`${address} was given to account ${accountId}, but there is no action of it`);
    if (surplus <= 0) continue;
    surplusOf.set(accountId, (surplusOf.get(accountId) ?? 0) + surplus);
    for (const record of unknown.filter(({ account }) => account === accountId)) {
      operations.push({ ...base(record, address), return: record.return + AFTERMATH, kind: 'reserve', maybe: true });
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

function miscounted(kind: string, type: string, records: ClientRecord[], actions: ListedAction[]): string[] {
  return surpluses(kind, type, records, actions).flatMap(([[accountId, address], surplus]) => {
    const unknown = records.filter(
      ({ request, outcome, account }) =>
        request.kind === kind &&
        'address' in request &&
        request.address === address &&
        account === accountId &&
        (outcome.kind === 'unknown' || outcome.kind === 'unexpected'),
    ).length;
    if (surplus >= 0 && surplus <= unknown) return [];
    return [`${kind} of ${address} by account ${accountId}: ${surplus} more than were answered, ${unknown} unanswered`];
  });
}

/** For each account and address: how many more actions of a type there are than accepted requests. */
function surpluses(
  kind: string,
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
