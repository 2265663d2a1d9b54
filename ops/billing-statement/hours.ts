import type { BillingChange } from '../../domain/billing.ts';

const MS_PER_HOUR = 3_600_000n;

/** What is to be charged for. */
export interface StatementRequest {
  accountId: number;
  from: Date;
  /** Not included. */
  to: Date;
  /** Time of the statement: what is still open is charged up to here at most. */
  now: Date;
  /** Millionths of a dollar for an hour in which an address is reserved and on no droplet. */
  microsPerHour: bigint;
}

/** A time in which an address was reserved and on no droplet. */
export interface IdleInterval {
  from: Date;
  to: Date;
  /** It had not ended when the statement was made. */
  open: boolean;
}

/** One address of the account. */
export interface StatementLine {
  address: string;
  region: string;
  intervals: IdleInterval[];
  idleMs: number;
  chargeMicros: bigint;
}

/** What an account owes for the addresses that it reserved and did not use. */
export interface Statement {
  lines: StatementLine[];
  chargeMicros: bigint;
  /** Messages that said again what another had said. */
  repeats: number;
  /** Ids under which two messages said different things; only the first of each counts. */
  conflicts: string[];
}

/**
 * Computes a statement from all billing events there are, in whatever order and however often they come. Charges are
 * rounded once for each address, half up. Events before `from` count, because they decide how the time begins.
 */
export function computeStatement(changes: Iterable<BillingChange>, request: StatementRequest): Statement {
  const { distinct, repeats, conflicts } = dropRepeats(changes);
  const byAddress = Map.groupBy(
    distinct.filter((change) => change.accountId === request.accountId),
    (change) => change.address,
  );
  const lines = [...byAddress]
    .map(([address, own]) => lineOf(address, own.toSorted(byEffect), request))
    .filter((line) => line !== null)
    .toSorted((left, right) => left.address.localeCompare(right.address, 'en', { numeric: true }));
  const chargeMicros = lines.reduce((total, line) => total + line.chargeMicros, 0n);
  return { lines, chargeMicros, repeats, conflicts };
}

function dropRepeats(changes: Iterable<BillingChange>) {
  const first = new Map<string, BillingChange>();
  const conflicts = new Set<string>();
  let repeats = 0;
  for (const change of changes) {
    const known = first.get(change.eventId);
    if (!known) first.set(change.eventId, change);
    else if (isSame(known, change)) repeats++;
    else conflicts.add(change.eventId);
  }
  return { distinct: [...first.values()], repeats, conflicts: [...conflicts] };
}

function isSame(left: BillingChange, right: BillingChange): boolean {
  return (
    left.kind === right.kind &&
    left.accountId === right.accountId &&
    left.address === right.address &&
    left.region === right.region &&
    left.dropletId === right.dropletId &&
    left.actionId === right.actionId &&
    Date.parse(left.effectiveAt) === Date.parse(right.effectiveAt)
  );
}

/** Two changes of one address in the same millisecond happened in the order of their actions. */
function byEffect(left: BillingChange, right: BillingChange): number {
  return Date.parse(left.effectiveAt) - Date.parse(right.effectiveAt) || left.actionId - right.actionId;
}

/** Null when the address was not the account's within the time. */
function lineOf(address: string, changes: BillingChange[], request: StatementRequest): StatementLine | null {
  const held = holdings(changes);
  const end = new Date(Math.min(request.to.getTime(), request.now.getTime()));
  const within = held.filter(({ from, to }) => from < end && (to === null || to > request.from));
  if (within.length === 0) return null;
  const intervals = within
    .filter(({ idle }) => idle)
    .map(({ from, to }) => ({
      from: new Date(Math.max(from.getTime(), request.from.getTime())),
      to: new Date(Math.min((to ?? end).getTime(), end.getTime())),
      open: to === null,
    }));
  const idleMs = intervals.reduce((total, { from, to }) => total + to.getTime() - from.getTime(), 0);
  const region = changes.at(-1)?.region ?? '';
  return {
    address,
    region,
    intervals,
    idleMs,
    chargeMicros: charge(idleMs, request.microsPerHour),
  };
}

interface Holding {
  from: Date;
  to: Date | null;
  idle: boolean;
}

/** The times in which the account held the address, split where it went on or off a droplet. */
function holdings(changes: BillingChange[]): Holding[] {
  const ended: Holding[] = [];
  let current: Holding | null = null;
  for (const change of changes) {
    const at = new Date(change.effectiveAt);
    const idle = isIdleAfter(change);
    if (current && current.idle === idle) continue;
    if (current) ended.push({ ...current, to: at });
    current = idle === null ? null : { from: at, to: null, idle };
  }
  return current ? [...ended, current] : ended;
}

/** Whether the address is on no droplet after the change; null when it is not the account's any more. */
function isIdleAfter({ kind, dropletId }: BillingChange): boolean | null {
  switch (kind) {
    case 'reserved':
      return dropletId === null;
    case 'unassigned':
      return true;
    case 'assigned':
    case 'reassigned':
      return false;
    case 'released':
      return null;
  }
}

function charge(milliseconds: number, microsPerHour: bigint): bigint {
  return (BigInt(milliseconds) * microsPerHour + MS_PER_HOUR / 2n) / MS_PER_HOUR;
}
