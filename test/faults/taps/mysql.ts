import type { Direction, UnitLength, Watcher } from './tap.ts';

/*
 * What a process says to MySQL: packets with a header of three bytes of length and one of sequence.
 */

const HEADER = 4;
const QUERY = 0x03;
const OK = 0x00;
const MORE_RESULTS = 0x0008;
const UUID = /'([\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12})'/g;

const packetLength: UnitLength = (buffered) => (buffered.length < HEADER ? null : HEADER + buffered.readUIntLE(0, 3));

export const MYSQL_UNITS: Record<Direction, UnitLength> = { request: packetLength, answer: packetLength };

/** Called once, with the operations that are concerned. Its answer is what happens to the unit that was met. */
export type Met = (operationIds: string[]) => 'pass' | 'hold';

/** Meets the answer to the commit of an admission, so that it is committed and its process does not know. */
export function onAdmissionCommitted(met: Met): Watcher {
  return onAnswered((text) => (/insert into outbox/i.test(text) && /commit\s*$/i.test(text) ? idsIn(text) : null), met);
}

/** Meets the answer to the commit by which a reconciler takes operations out of others' reach. */
export function onOperationsTaken(met: Met): Watcher {
  const taken = new Map<number, string[]>();
  let connectionNow = 0;
  const answered = onAnswered((text) => {
    if (/update outbox set due_at/i.test(text)) taken.set(connectionNow, idsIn(text));
    if (!/^commit\s*$/i.test(text)) return null;
    const ids = taken.get(connectionNow) ?? null;
    taken.delete(connectionNow);
    return ids;
  }, met);
  return (connection, direction, unit) => {
    connectionNow = connection;
    return answered(connection, direction, unit);
  };
}

/** Meets the statement that takes started operations out of the outbox, before it has reached MySQL. */
export function onOutboxRemoval(met: Met): Watcher {
  return (_, direction, unit) => {
    const text = direction === 'request' ? statementIn(unit) : null;
    return text !== null && /^delete from outbox/i.test(text) ? met(idsIn(text)) : 'pass';
  };
}

/** Meets the last answer to a request whose statements `choose` names operations of, if nothing in it has failed. */
function onAnswered(choose: (text: string) => string[] | null, met: Met): Watcher {
  const asked = new Map<number, string[]>();
  return (connection, direction, unit) => {
    if (direction === 'request') {
      const text = statementIn(unit);
      const ids = text === null ? null : choose(text);
      if (ids && ids.length > 0) asked.set(connection, ids);
      return 'pass';
    }
    const ids = asked.get(connection);
    if (!ids) return 'pass';
    const isLast = isLastOk(unit);
    if (isLast === 'more') return 'pass';
    asked.delete(connection);
    return isLast === 'last' ? met(ids) : 'pass';
  };
}

function statementIn(packet: Buffer): string | null {
  return packet[HEADER - 1] === 0 && packet[HEADER] === QUERY ? packet.toString('utf8', HEADER + 1).trim() : null;
}

/** Whether a packet is an OK, and whether another one follows it; `other` for an error, or rows. */
function isLastOk(packet: Buffer): 'last' | 'more' | 'other' {
  if (packet[HEADER] !== OK) return 'other';
  const afterRows = HEADER + 1 + lengthOfInteger(packet[HEADER + 1] ?? 0);
  const afterId = afterRows + lengthOfInteger(packet[afterRows] ?? 0);
  return (packet.readUInt16LE(afterId) & MORE_RESULTS) === 0 ? 'last' : 'more';
}

/** Bytes of an integer of MySQL's variable length, by the first of them. */
function lengthOfInteger(first: number): number {
  return { 252: 3, 253: 4, 254: 9 }[first] ?? 1;
}

function idsIn(text: string): string[] {
  return [...new Set([...text.matchAll(UUID)].map(([, id = '']) => id))];
}
