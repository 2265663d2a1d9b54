import type { ClientRecord } from '../clients/record.ts';
import { AFTERMATH, base, changeAsked, type HistoryOperation, type ListedAction, tell } from './operation.ts';
import type { GoneFrom } from './rejections.ts';

type DestroyRecord = ClientRecord & { request: { kind: 'destroy'; droplet: number } };

const PENDING = /Droplet already has a pending event/;

function isDestroy(record: ClientRecord): record is DestroyRecord {
  return record.request.kind === 'destroy';
}

/** Whether the droplet may have been destroyed, or an address taken off it for that. */
function mayHaveBegun({ outcome }: DestroyRecord): boolean {
  return outcome.kind !== 'unavailable' && !(outcome.kind === 'refused' && outcome.status === 404);
}

function latestEffect({ outcome, return: at }: DestroyRecord): number {
  return outcome.kind === 'done' || outcome.kind === 'refused' ? at : at + AFTERMATH;
}

/** From when on each droplet may have been gone. */
export function goneFrom(records: ClientRecord[]): GoneFrom {
  const from = new Map<number, number>();
  for (const record of records.filter(isDestroy).filter(mayHaveBegun)) {
    if (record.outcome.kind === 'refused') continue;
    const { droplet } = record.request;
    from.set(droplet, Math.min(record.call, from.get(droplet) ?? Infinity));
  }
  return from;
}

/**
 * The history of each droplet. It is there from its creation until it is destroyed; whatever was taken to it, or found on
 * it, was so while it was there.
 */
export function dropletHistories(records: ClientRecord[], endOfRun: number, complaints: string[]): HistoryOperation[] {
  const operations: HistoryOperation[] = [];
  const created = new Set<string>();
  const known = new Map<string, number>();
  for (const record of records) {
    const { request, outcome, account } = record;
    if (request.kind === 'create') {
      if (outcome.kind === 'refused') complaints.push(tell(record));
      if (outcome.kind !== 'done') continue;
      operations.push({ ...base(record, name(outcome.droplet)), kind: 'create' });
      created.add(name(outcome.droplet));
    } else if (isDestroy(record)) operations.push(...ofDestruction(record, complaints));
    else {
      const droplet = dropletSeen(record);
      if (droplet === null) continue;
      known.set(name(droplet), account);
      operations.push({ ...base(record, name(droplet)), kind: 'present' });
    }
  }
  for (const { address, account } of operations) known.set(address, account);
  for (const [address, account] of known) {
    if (created.has(address)) continue;
    // Made before the run, or by a request whose answer nobody has.
    const told = `${address} was made`;
    operations.push({ kind: 'create', address, call: 0, return: endOfRun, client: 0, account, told });
  }
  return operations;
}

function name(droplet: number): string {
  return `droplet ${droplet}`;
}

/** A droplet that must have been there at some moment of the record. */
function dropletSeen({ request, outcome }: ClientRecord): number | null {
  if (outcome.kind === 'accepted' && (request.kind === 'assign' || request.kind === 'reserve')) return request.droplet;
  return outcome.kind === 'address' && outcome.locked === false ? outcome.droplet : null;
}

function ofDestruction(record: DestroyRecord, complaints: string[]): HistoryOperation[] {
  const { request, outcome } = record;
  const operation = base(record, name(request.droplet));
  if (outcome.kind === 'done') return [{ ...operation, kind: 'destroy' }];
  if (outcome.kind === 'unavailable') return [];
  if (outcome.kind !== 'refused') {
    return [{ ...operation, kind: 'destroy', return: latestEffect(record), maybe: true }];
  }
  if (outcome.status === 404) return [{ ...operation, kind: 'absent' }];
  if (!PENDING.test(outcome.message)) complaints.push(tell(record));
  return [{ ...operation, kind: 'present' }];
}

/**
 * An address that came off its droplet because that was destroyed: it was on it, and was taken off while somebody had
 * asked for that. Null when nobody had.
 */
export function takenOff(action: ListedAction, droplet: number, records: ClientRecord[]): HistoryOperation | null {
  const asked = records
    .filter(isDestroy)
    .filter((record) => record.request.droplet === droplet && mayHaveBegun(record));
  const [first] = asked;
  if (!first) return null;
  return {
    ...base(first, action.address),
    kind: 'accept',
    ...changeAsked({ kind: 'unassign', ipVersion: 4, address: action.address, droplet: null }),
    droplet,
    action: action.id,
    call: Math.min(...asked.map(({ call }) => call)),
    return: Math.max(...asked.map(latestEffect)),
  };
}
