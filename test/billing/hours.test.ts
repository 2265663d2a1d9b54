import { describe, expect, test } from 'vitest';
import type { BillingChange } from '../../domain/billing.ts';
import { computeStatement, type StatementRequest } from '../../ops/billing-statement/hours.ts';

const HOUR = 3_600_000;
const ACCOUNT = 7;

let nextAction = 1;

/** A change of the account's address; `at` is a time on the first of November. */
function change(kind: BillingChange['kind'], at: string, more: Partial<BillingChange> = {}): BillingChange {
  const actionId = more.actionId ?? nextAction++;
  return {
    eventId: `action-${actionId}`,
    kind,
    accountId: ACCOUNT,
    address: '203.0.113.1',
    region: 'nyc3',
    dropletId: kind === 'assigned' || kind === 'reassigned' ? 5 : null,
    actionId,
    effectiveAt: `2026-11-01T${at}Z`,
    ...more,
  };
}

function statement(changes: BillingChange[], request: Partial<StatementRequest> = {}) {
  return computeStatement(changes, {
    accountId: ACCOUNT,
    from: new Date('2026-11-01T00:00:00Z'),
    to: new Date('2026-11-02T00:00:00Z'),
    now: new Date('2026-12-01T00:00:00Z'),
    microsPerHour: 1_000n,
    ...request,
  });
}

/** Idle hours of the only address. */
function hoursOf(changes: BillingChange[], request?: Partial<StatementRequest>): number | undefined {
  const { lines } = statement(changes, request);
  expect(lines.length).toBeLessThanOrEqual(1);
  return lines[0] && lines[0].idleMs / HOUR;
}

describe('the hours of an address', () => {
  test('count while it is reserved and on no droplet, and only then', () => {
    const life = [
      change('reserved', '01:00:00.000'),
      change('assigned', '03:00:00.000'),
      change('reassigned', '04:00:00.000'),
      change('unassigned', '10:00:00.000'),
      change('released', '10:30:00.000'),
    ];
    expect(hoursOf(life)).toBe(2.5);
    expect(statement(life).lines[0]?.intervals).toEqual([
      { from: new Date('2026-11-01T01:00:00Z'), to: new Date('2026-11-01T03:00:00Z'), open: false },
      { from: new Date('2026-11-01T10:00:00Z'), to: new Date('2026-11-01T10:30:00Z'), open: false },
    ]);
  });

  test('are cut at the beginning and at the end of the time that is asked for', () => {
    const life = [change('reserved', '01:00:00.000'), change('released', '09:00:00.000')];
    const [from, to] = [new Date('2026-11-01T02:30:00Z'), new Date('2026-11-01T04:00:00Z')];
    expect(hoursOf(life, { from })).toBe(6.5);
    expect(hoursOf(life, { to })).toBe(3);
    expect(hoursOf(life, { from, to })).toBe(1.5);
  });

  test('do not exist for an address that the account held before or after, but not within', () => {
    const life = [change('reserved', '01:00:00.000'), change('released', '02:00:00.000')];
    expect(statement(life, { from: new Date('2026-11-01T02:00:00Z') }).lines).toEqual([]);
    expect(statement(life, { to: new Date('2026-11-01T01:00:00Z') }).lines).toEqual([]);
  });

  test('are none, on a line all the same, for an address that was on a droplet all the time', () => {
    const life = [
      change('reserved', '00:00:00.000', { effectiveAt: '2026-10-01T00:00:00.000Z' }),
      change('assigned', '00:00:00.000', { effectiveAt: '2026-10-02T00:00:00.000Z' }),
    ];
    expect(statement(life).lines).toMatchObject([{ idleMs: 0, chargeMicros: 0n, intervals: [] }]);
  });

  test('of one that is still idle go up to the end that is asked for, or up to now when that is earlier', () => {
    const life = [change('reserved', '01:00:00.000')];
    expect(hoursOf(life)).toBe(23);
    expect(hoursOf(life, { now: new Date('2026-11-01T01:15:00Z') })).toBe(0.25);
    expect(statement(life).lines[0]?.intervals).toMatchObject([{ open: true }]);
  });

  test('begin at a reservation before the time that is asked for', () => {
    const life = [change('reserved', '00:00:00.000', { effectiveAt: '2026-10-15T00:00:00.000Z' })];
    expect(hoursOf(life)).toBe(24);
  });

  test('are the same when messages repeat', () => {
    const life = [change('reserved', '01:00:00.000'), change('released', '02:00:00.000')];
    const { lines, repeats, conflicts } = statement([...life, ...life, ...life]);
    expect(lines).toMatchObject([{ idleMs: HOUR }]);
    expect({ repeats, conflicts }).toEqual({ repeats: 4, conflicts: [] });
  });

  test('are the same when messages come in another order', () => {
    const life = [
      change('reserved', '01:00:00.000'),
      change('assigned', '02:00:00.000'),
      change('unassigned', '05:00:00.000'),
      change('released', '06:00:00.000'),
    ];
    expect(hoursOf([...life].reverse())).toBe(2);
    expect(hoursOf(life.toSorted((left, right) => (left.kind < right.kind ? -1 : 1)))).toBe(2);
  });

  test('follow the order of the actions within one millisecond', () => {
    const reserved = change('reserved', '01:00:00.000');
    const assigned = change('assigned', '01:00:00.000');
    const unassigned = change('unassigned', '02:00:00.000');
    const released = change('released', '02:00:00.000');
    expect(hoursOf([released, assigned, unassigned, reserved])).toBe(0);
  });

  test('count an address again that was released and reserved once more', () => {
    const life = [
      change('reserved', '01:00:00.000'),
      change('released', '02:00:00.000'),
      change('reserved', '05:00:00.000'),
      change('released', '05:30:00.000'),
    ];
    expect(hoursOf(life)).toBe(1.5);
  });
});

describe('a statement', () => {
  test('counts the first of two messages that differ under one id, and names the id', () => {
    const honest = change('reserved', '01:00:00.000');
    const other = { ...honest, effectiveAt: '2026-11-01T09:00:00.000Z' };
    const { lines, conflicts, repeats } = statement([honest, other, change('released', '02:00:00.000')]);
    expect(lines).toMatchObject([{ idleMs: HOUR }]);
    expect({ conflicts, repeats }).toEqual({ conflicts: [honest.eventId], repeats: 0 });
  });

  test('takes the same time written in another way for a repeat', () => {
    const one = change('reserved', '01:00:00.000');
    expect(statement([one, { ...one, effectiveAt: '2026-11-01T01:00:00Z' }])).toMatchObject({
      repeats: 1,
      conflicts: [],
    });
  });

  test('has nothing of another account, also of one that held the same address before', () => {
    const life = [
      change('reserved', '01:00:00.000', { accountId: 8 }),
      change('released', '02:00:00.000', { accountId: 8 }),
      change('reserved', '03:00:00.000'),
      change('released', '04:00:00.000'),
    ];
    expect(hoursOf(life)).toBe(1);
    expect(statement(life, { accountId: 9 })).toMatchObject({ lines: [], chargeMicros: 0n });
  });

  test('lists addresses by their numbers', () => {
    const addresses = ['203.0.113.10', '203.0.113.9', '198.51.100.1'];
    const changes = addresses.map((address) => change('reserved', '01:00:00.000', { address }));
    expect(statement(changes).lines.map(({ address }) => address)).toEqual([
      '198.51.100.1',
      '203.0.113.9',
      '203.0.113.10',
    ]);
  });

  test('rounds once for each address, half up, and adds up what it shows', () => {
    // Half an hour at 1 micro-dollar, three times for one address and once for another.
    const halves = ['01', '03', '05'].flatMap((hour) => [
      change('reserved', `${hour}:00:00.000`),
      change('released', `${hour}:30:00.000`),
    ]);
    const other = { address: '203.0.113.2' };
    const { lines, chargeMicros } = statement(
      [...halves, change('reserved', '01:00:00.000', other), change('released', '01:30:00.000', other)],
      { microsPerHour: 1n },
    );
    expect(lines.map((line) => line.chargeMicros)).toEqual([2n, 1n]);
    expect(chargeMicros).toBe(3n);
  });

  test('of no events at all is empty', () => {
    expect(statement([])).toEqual({ lines: [], chargeMicros: 0n, repeats: 0, conflicts: [] });
  });
});
