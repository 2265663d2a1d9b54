import type { Exchange } from './clients/record.ts';
import type { FaultSpan } from './faults/index.ts';
import type { FaultAction } from './plan.ts';

/** A fault still shows for so long after its end, in microseconds: processes connect again, and pools find dead connections. */
const AFTER_EFFECT = 3_000_000;

const LONGEST_MESSAGE = 75;

/** Requests that were not served, which say the same and have met the same. */
export interface Unserved {
  /** Status and message; one for all that were lost on the way, by a 502 of a gateway or by a connection that broke. */
  answer: string;
  /** Kinds of faults that can have done this and were going on; `none` when there was no such. */
  cause: string;
  count: number;
}

/** Counts the requests that were answered 5xx, or not at all, by what they were told and what can have caused it. */
export function explainUnserved(exchanges: Exchange[], spans: FaultSpan[]): Unserved[] {
  const found = new Map<string, Unserved>();
  for (const exchange of exchanges) {
    const { status, message, call } = exchange;
    if (status !== null && status < 500) continue;
    const answer = status === null || status === 502 ? '502 or no answer' : `${status} ${firstWords(message ?? '')}`;
    const kinds = spans
      .filter(({ from, to }) => from <= exchange.return && call <= to + AFTER_EFFECT)
      .filter(({ action }) => canCause(action, exchange))
      .map(({ kind }) => kind);
    const cause = [...new Set(kinds)].sort().join(' + ') || 'none';
    const key = `${answer}\n${cause}`;
    const before = found.get(key);
    if (before) before.count++;
    else found.set(key, { answer, cause, count: 1 });
  }
  return [...found.values()].sort((left, right) => right.count - left.count);
}

/**
 * The API rejects only what it cannot ask MySQL about; everything else that a client can meet comes of a gateway, an API,
 * or the way to them, that was lost with the request. Temporal, workers, hosts and Kafka are on the path of no request.
 */
function canCause(action: FaultAction, { status, message }: Exchange): boolean {
  const isByGateway = status === null || status === 502 || (message?.includes('not passed on') ?? false);
  switch (action.kind) {
    case 'kill':
      return action.process === 'mysql' ? !isByGateway : /^(api|gateway)-/.test(action.process) && isByGateway;
    case 'crash':
      return action.step.startsWith('reconciler') ? false : isByGateway;
    case 'slow link':
    case 'cut link':
      // A gateway looks up whose request it is in MySQL.
      return action.link.startsWith('mysql') || action.link.startsWith('gateway');
    case 'deadlocks in MySQL':
    case 'lost connections of MySQL':
      return !isByGateway;
    default:
      return false;
  }
}

function firstWords(message: string): string {
  return message.length > LONGEST_MESSAGE ? (message.split('. ')[0] ?? message) : message;
}
