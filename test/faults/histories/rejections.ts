import type { ChangeRecord } from '../clients/record.ts';
import { base, changeAsked, type HistoryOperation, tell } from './operation.ts';

const REASONS: [pattern: RegExp, reason: string][] = [
  [/The reserved IP(v6)? already has a pending event/, 'pending'],
  [/Droplet already has a (pending event|reserved IP)/, 'occupied'],
  [/already assigned to this Droplet/, 'already_assigned'],
  [/is not assigned to a Droplet/, 'not_assigned'],
  [/is assigned to a Droplet\. Unassign it first/, 'still_assigned'],
];
/** Rejections of a reserve, which say nothing about one address. */
const NO_PLACE = /limit of reserved IP|no reserved IP(v6)? available|Droplet already has a (pending event|reserved IP)/;

/** When a droplet may have been gone: from then on a 404 may be about it. */
export type GoneFrom = ReadonlyMap<number, number>;

/** A rejection, which must be true of the address at some moment; what is rejected for no known reason is a complaint. */
export function rejection(record: ChangeRecord, goneFrom: GoneFrom, complaints: string[]): HistoryOperation[] {
  const { request, outcome } = record;
  if (outcome.kind !== 'refused') return [];
  const mayBeOfDroplet =
    outcome.status === 404 && request.droplet !== null && (goneFrom.get(request.droplet) ?? Infinity) < record.return;
  if (request.address === null) {
    if (!mayBeOfDroplet && !NO_PLACE.test(outcome.message)) complaints.push(tell(record));
    return [];
  }
  if (mayBeOfDroplet) return [];
  const reason = outcome.status === 404 ? 'not_found' : REASONS.find(([pattern]) => pattern.test(outcome.message))?.[1];
  if (reason === undefined) {
    complaints.push(tell(record));
    return [];
  }
  return [{ ...base(record, request.address), kind: 'refuse', reason, ...changeAsked(request) }];
}
