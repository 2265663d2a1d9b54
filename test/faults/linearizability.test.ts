import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { ProcessSupervisor } from '../../dev/environment/processes.ts';
import type { HistoryOperation } from './histories/operation.ts';
import { checkLinearizability } from './linearizability.ts';
import { fetchFaultTools } from './tools.ts';

const ADDRESS = '198.51.100.40';
const ACCOUNT = 1;

let checker = '';
let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'reserved-ip-checker-'));
  const supervisor = new ProcessSupervisor({ folder });
  ({ checker } = await fetchFaultTools({ supervisor, environment: process.env, report: console.log }));
  return () => rm(folder, { recursive: true, force: true });
}, 300_000);

type Event = Omit<HistoryOperation, 'address' | 'client' | 'told' | 'account'> & { account?: number };

/** What is wrong with the address's history by the checker; null when it is linearizable. */
async function failureOf(...events: Event[]): Promise<string | null> {
  const operations = events.map((event, client) => ({
    address: ADDRESS,
    account: ACCOUNT,
    client,
    told: event.kind,
    ...event,
  }));
  const { failures } = await checkLinearizability(checker, operations, folder);
  return failures[0]?.result ?? null;
}

const reserve: Event = { kind: 'reserve', call: 0, return: 10 };
const assign: Event = { kind: 'accept', change: 'assign', droplet: 7, action: 100, call: 20, return: 30 };
const assigned: Event = { kind: 'end', change: 'assign', action: 100, status: 'completed', call: 20, return: 60 };

const reserveFor: Event = {
  kind: 'reserve',
  change: 'assign',
  droplet: 7,
  action: 100,
  call: 0,
  return: 10,
};
const endOfReserve: Event = { ...assigned, call: 0 };
/** The droplet is destroyed between 70 and 80; the address comes off it by action 101. */
const takenOff: Event = { kind: 'accept', change: 'unassign', droplet: 7, action: 101, call: 70, return: 80 };
const cameOff: Event = { kind: 'end', change: 'unassign', action: 101, status: 'completed', call: 70, return: 99 };

describe('the checker', () => {
  test('finds an order for what can have happened', async () => {
    expect(
      await failureOf(
        reserve,
        assign,
        // Both during the acceptance: one before it, one after it.
        { kind: 'read', found: true, droplet: 0, locked: false, call: 22, return: 35 },
        { kind: 'refuse', reason: 'pending', change: 'unassign', call: 21, return: 25 },
        { kind: 'open', action: 100, call: 40, return: 50 },
        assigned,
        { kind: 'read', found: true, droplet: 7, locked: false, call: 61, return: 62 },
        { kind: 'release', call: 70, return: 80 },
        { kind: 'read', found: false, call: 81, return: 82 },
      ),
    ).toBeNull();
  });

  test.each<[what: string, event: Event]>([
    ['a read of what was before', { kind: 'read', found: true, droplet: 0, locked: false, call: 61, return: 62 }],
    ['an action that is open after its end', { kind: 'open', action: 100, call: 61, return: 62 }],
    [
      'a pending event that there is not',
      { kind: 'refuse', reason: 'pending', change: 'unassign', call: 61, return: 62 },
    ],
    ['a second reserve of an address that is held', { kind: 'reserve', account: 2, call: 61, return: 62 }],
    ['an address that is not found', { kind: 'read', found: false, call: 61, return: 62 }],
    [
      'a change that nobody asked for',
      { kind: 'end', change: 'unassign', action: 101, unanswered: true, status: 'completed', call: 0, return: 99 },
    ],
    ['an assign to where it is', { kind: 'accept', change: 'assign', droplet: 7, action: 101, call: 61, return: 62 }],
  ])('rejects a history that was falsified by %s', async (_what, event) => {
    expect(await failureOf(reserve, assign, assigned, event)).toBe('Illegal');
  });

  test('finds an order for a reserve that goes on to a droplet, which is then destroyed', async () => {
    const shown = { kind: 'read', found: true, locked: true } as const;
    expect(
      await failureOf(
        reserveFor,
        { ...shown, droplet: 0, call: 11, return: 12 },
        endOfReserve,
        { kind: 'read', found: true, droplet: 7, locked: false, call: 61, return: 62 },
        { kind: 'refuse', reason: 'still_assigned', change: 'unassign', call: 63, return: 64 },
        takenOff,
        // The droplet is shown until it is gone, and not afterwards.
        { ...shown, droplet: 7, call: 75, return: 81 },
        { ...shown, droplet: 0, call: 82, return: 83 },
        cameOff,
        // An IPv6 address does not show whether it is locked.
        { kind: 'read', found: true, droplet: 0, locked: null, call: 100, return: 101 },
      ),
    ).toBeNull();
  });

  test.each<[what: string, events: Event[]]>([
    [
      'a reserve for a droplet that leaves the address idle',
      [reserveFor, { kind: 'read', found: true, droplet: 0, locked: false, call: 11, return: 12 }, endOfReserve],
    ],
    [
      'an address that was taken off a droplet on which it was not',
      [reserveFor, endOfReserve, { ...takenOff, droplet: 8 }, cameOff],
    ],
    [
      'an address that is idle on its droplet after that was destroyed',
      [
        ...[reserveFor, endOfReserve, takenOff, cameOff],
        { kind: 'read', found: true, droplet: 7, locked: false, call: 81, return: 82 },
      ],
    ],
    [
      'a change of an address that is being taken off',
      [
        ...[reserveFor, endOfReserve, takenOff],
        { kind: 'open', action: 101, call: 81, return: 82 },
        { kind: 'accept', change: 'assign', droplet: 8, action: 102, call: 83, return: 84 },
        { kind: 'open', action: 101, call: 85, return: 86 },
        cameOff,
      ],
    ],
    [
      'an unassigned address that could not be given back because it was assigned',
      [reserve, { kind: 'refuse', reason: 'still_assigned', change: 'unassign', call: 61, return: 62 }],
    ],
    [
      'a droplet that took an address after it was destroyed',
      [
        { kind: 'create', call: 0, return: 10 },
        { kind: 'destroy', call: 20, return: 30 },
        { kind: 'present', call: 31, return: 40 },
      ],
    ],
    [
      'a droplet that was destroyed twice',
      [
        { kind: 'create', call: 0, return: 10 },
        { kind: 'destroy', call: 20, return: 30 },
        { kind: 'destroy', call: 20, return: 30 },
      ],
    ],
    [
      'a droplet that was gone, and is there again',
      [
        { kind: 'create', call: 0, return: 10 },
        { kind: 'destroy', maybe: true, call: 20, return: 1_000 },
        { kind: 'absent', call: 31, return: 40 },
        { kind: 'present', call: 41, return: 50 },
      ],
    ],
  ])('rejects %s', async (_what, events) => {
    expect(await failureOf(...events)).toBe('Illegal');
  });

  test('lets a droplet whose end nobody was told of be gone, or not', async () => {
    const made: Event = { kind: 'create', call: 0, return: 10 };
    const unanswered: Event = { kind: 'destroy', maybe: true, call: 20, return: 1_000 };
    const present: Event = { kind: 'present', call: 31, return: 40 };
    const absent: Event = { kind: 'absent', call: 41, return: 50 };
    expect(await failureOf(made, unanswered, present)).toBeNull();
    expect(await failureOf(made, unanswered, present, absent)).toBeNull();
    expect(await failureOf(made, present, absent)).toBe('Illegal');
  });

  test('rejects two changes that were accepted at once', async () => {
    const second: Event = { kind: 'accept', change: 'assign', droplet: 8, action: 101, call: 22, return: 32 };
    const secondEnd: Event = { kind: 'end', change: 'assign', action: 101, status: 'completed', call: 22, return: 60 };
    const seenOpen = (action: number, call: number): Event => ({ kind: 'open', action, call, return: call + 1 });
    expect(
      await failureOf(
        reserve,
        assign,
        second,
        seenOpen(100, 40),
        seenOpen(101, 42),
        seenOpen(100, 44),
        assigned,
        secondEnd,
      ),
    ).toBe('Illegal');
  });

  test('lets a request without an answer have happened, or not', async () => {
    const unanswered: Event = { ...assign, action: -1, maybe: true, return: 1_000 };
    const later: Event = { kind: 'read', found: true, droplet: 0, locked: false, call: 61, return: 62 };
    expect(await failureOf(reserve, unanswered, later)).toBeNull();
    const end: Event = { ...assigned, unanswered: true, call: 0, return: 1_000 };
    expect(await failureOf(reserve, unanswered, end, { ...later, droplet: 7 })).toBeNull();
    expect(await failureOf(reserve, unanswered, { ...later, droplet: 8 })).toBe('Illegal');
  });
});
