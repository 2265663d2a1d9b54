import { describe, expect, test } from 'vitest';
import type { ClientRecord } from '../clients/record.ts';
import { toHistory } from './history.ts';
import type { ListedAction } from './operation.ts';

const ACCOUNT = 1;
const ADDRESS = '198.51.100.40';
const END_OF_RUN = 10_000;

function record(
  request: ClientRecord['request'],
  outcome: ClientRecord['outcome'],
  [call, at]: [call: number, at: number],
): ClientRecord {
  return { client: 0, account: ACCOUNT, call, return: at, request, outcome };
}

function unassignOf(destroysDroplet: number | null): ListedAction {
  return { id: 100, accountId: ACCOUNT, type: 'unassign_ip', status: 'completed', address: ADDRESS, destroysDroplet };
}

const notFound = { kind: 'refused', status: 404, message: 'The resource you requested could not be found.' } as const;
const assign = { kind: 'assign', ipVersion: 4, address: ADDRESS, droplet: 7 } as const;
const destroy = { kind: 'destroy', droplet: 7 } as const;

describe('a history', () => {
  test('has an address come off its droplet at the time when somebody destroyed that', () => {
    const records = [record(destroy, { kind: 'done', droplet: 7 }, [20, 30])];
    const { operations, complaints } = toHistory(records, [unassignOf(7)], END_OF_RUN);
    expect(complaints).toEqual([]);
    const taken = { address: ADDRESS, change: 'unassign', action: 100, call: 20 };
    expect(operations).toContainEqual(expect.objectContaining({ ...taken, kind: 'accept', droplet: 7, return: 30 }));
    expect(operations).toContainEqual(expect.objectContaining({ ...taken, kind: 'end', return: END_OF_RUN }));
  });

  test('complains of an address that came off a droplet which nobody destroyed', () => {
    const { complaints } = toHistory([record(destroy, notFound, [20, 30])], [unassignOf(7)], END_OF_RUN);
    expect(complaints).toEqual(['action 100 destroys droplet 7, which nobody asked for']);
  });

  test('takes a 404 for the address as long as its droplet cannot have been gone', () => {
    const rejected = record(assign, notFound, [40, 50]);
    const ofAddress = (records: ClientRecord[]) =>
      toHistory(records, [], END_OF_RUN).operations.filter(({ kind }) => kind === 'refuse');
    expect(ofAddress([rejected])).toMatchObject([{ reason: 'not_found' }]);
    const later = record(destroy, { kind: 'unknown', why: 'the connection broke' }, [60, 70]);
    expect(ofAddress([rejected, later])).toHaveLength(1);
    const earlier = record(destroy, { kind: 'unknown', why: 'the connection broke' }, [10, 20]);
    expect(ofAddress([rejected, earlier])).toEqual([]);
  });

  test('complains of a reserve that was rejected because a droplet was gone which was there', () => {
    const reserve = { kind: 'reserve', ipVersion: 4, address: null, droplet: 7 } as const;
    const { complaints } = toHistory([record(reserve, notFound, [40, 50])], [], END_OF_RUN);
    expect(complaints).toEqual([expect.stringContaining('reserve')]);
  });
});
