import { type ChangeRecord, type ClientRecord, isAddressChange } from '../clients/record.ts';
import { dropletHistories, goneFrom, takenOff } from './droplets.ts';
import {
  AFTERMATH,
  base,
  changeAsked,
  type HistoryOperation,
  type ListedAction,
  tell,
  UNNUMBERED,
} from './operation.ts';
import { type GoneFrom, rejection } from './rejections.ts';
import { miscountedReleases, reserve, unansweredReserves } from './reserves.ts';

/** The histories of all addresses and droplets, and what was wrong already before anybody looks at an order. */
export interface History {
  operations: HistoryOperation[];
  complaints: string[];
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
  const gone = goneFrom(records);
  const numbered = new Set<number>();
  const begin = (accepted: HistoryOperation, actionId: number) => {
    operations.push(accepted);
    numbered.add(actionId);
    const action = listed.get(actionId);
    if (!action) complaints.push(`${accepted.told}, but there is no such action`);
    else if (action.status !== 'in-progress') {
      operations.push(endOf(action, accepted, seenEnded.get(action.id) ?? endOfRun));
    }
  };

  for (const record of records) {
    const { outcome } = record;
    if (outcome.kind === 'unexpected') complaints.push(tell(record));
    if (!isAddressChange(record)) operations.push(...ofLook(record));
    else if (outcome.kind !== 'accepted') operations.push(...ofFailure(record, gone, complaints));
    else if (outcome.action === null) operations.push(acceptance(record, outcome.address, null));
    else begin(acceptance(record, outcome.address, outcome.action), outcome.action);
  }
  for (const action of actions) {
    if (action.status === 'in-progress') {
      complaints.push(`action ${action.id} (${action.type} of ${action.address}) has not ended`);
    } else if (action.destroysDroplet !== null) {
      const accepted = takenOff(action, action.destroysDroplet, records);
      if (accepted) begin(accepted, action.id);
      else complaints.push(`action ${action.id} destroys droplet ${action.destroysDroplet}, which nobody asked for`);
    } else if (!numbered.has(action.id) && changeOf(action) !== null) {
      const unanswered = { call: 0, return: endOfRun, client: 0, account: action.accountId };
      operations.push({ ...endOf(action, { ...unanswered, address: action.address }, endOfRun), unanswered: true });
    }
  }
  operations.push(...unansweredReserves(records, actions, complaints));
  operations.push(...dropletHistories(records, endOfRun, complaints));
  complaints.push(...miscountedReleases(records, actions));
  return { operations, complaints };
}

function ofLook(record: ClientRecord): HistoryOperation[] {
  const { request, outcome } = record;
  if (request.kind === 'poll' && outcome.kind === 'action' && outcome.status === 'in-progress') {
    return [{ ...base(record, request.address), kind: 'open', action: request.action }];
  }
  if (request.kind !== 'show') return [];
  if (outcome.kind === 'missing') return [{ ...base(record, request.address), kind: 'read', found: false }];
  if (outcome.kind !== 'address') return [];
  const { droplet, locked } = outcome;
  return [{ ...base(record, request.address), kind: 'read', found: true, droplet: droplet ?? 0, locked }];
}

/** A change that was not accepted. Of an answer that nobody expects, whatever it says, it may have happened. */
function ofFailure(record: ChangeRecord, gone: GoneFrom, complaints: string[]): HistoryOperation[] {
  const { request, outcome } = record;
  if (outcome.kind === 'refused') return rejection(record, gone, complaints);
  if (outcome.kind === 'unavailable' || request.address === null) return [];
  return [{ ...acceptance(record, request.address, null), return: record.return + AFTERMATH, maybe: true }];
}

function acceptance(record: ChangeRecord, address: string, action: number | null): HistoryOperation {
  const { request } = record;
  if (request.kind === 'reserve') return reserve(record, address, action);
  if (request.kind === 'release') return { ...base(record, address), kind: 'release' };
  return { ...base(record, address), kind: 'accept', ...changeAsked(request), action: action ?? UNNUMBERED };
}

function firstSeenEnded(records: ClientRecord[]): Map<number, number> {
  const first = new Map<number, number>();
  for (const { request, outcome, return: at } of records) {
    if (request.kind !== 'poll' || outcome.kind !== 'action' || outcome.status === 'in-progress') continue;
    first.set(request.action, Math.min(at, first.get(request.action) ?? at));
  }
  return first;
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
