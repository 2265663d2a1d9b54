import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { FairGate, TooManyWaitingError } from './fair-gate.ts';

/** Work that ends when the test says so, and the order in which it began. */
function useWork() {
  const begun: string[] = [];
  const ends: (() => void)[] = [];
  const work = (name: string) => () => {
    begun.push(name);
    return new Promise<void>((resolve) => ends.push(resolve));
  };
  const endNext = async () => {
    ends.shift()?.();
    await turn();
  };
  return { begun, work, endNext };
}

test('a party that asks for much has only its share at a time, and another one is let in at once', async () => {
  const gate = new FairGate({ atOnce: 4, eachAtOnce: 2, eachWaiting: 10 });
  const { begun, work } = useWork();
  for (let number = 1; number <= 5; number++) void gate.run('many', work(`many ${number}`));
  void gate.run('one', work('one'));
  await turn();
  expect(begun).toEqual(['many 1', 'many 2', 'one']);
  expect(gate.running).toBe(3);
});

test('parties that wait take turns, however much one of them has waiting', async () => {
  const gate = new FairGate({ atOnce: 1, eachAtOnce: 1, eachWaiting: 10 });
  const { begun, work, endNext } = useWork();
  for (const name of ['a1', 'a2', 'a3']) void gate.run('a', work(name));
  for (const name of ['b1', 'b2']) void gate.run('b', work(name));
  void gate.run('c', work('c1'));
  await turn();
  for (let ended = 0; ended < 6; ended++) await endNext();
  expect(begun).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3']);
  expect(gate.running).toBe(0);
});

test('what would wait behind too much of its own is rejected, and that of others is not', async () => {
  const gate = new FairGate({ atOnce: 1, eachAtOnce: 1, eachWaiting: 1 });
  const { begun, work, endNext } = useWork();
  void gate.run('a', work('a1'));
  void gate.run('a', work('a2'));
  await expect(gate.run('a', work('a3'))).rejects.toThrow(TooManyWaitingError);
  void gate.run('b', work('b1'));
  await endNext();
  await endNext();
  expect(begun).toEqual(['a1', 'a2', 'b1'].toSorted((left, right) => begun.indexOf(left) - begun.indexOf(right)));
  expect(begun).toHaveLength(3);
});

test('work that fails gives its place free', async () => {
  const gate = new FairGate({ atOnce: 1, eachAtOnce: 1, eachWaiting: 1 });
  await expect(gate.run('a', () => Promise.reject(new Error('it failed')))).rejects.toThrow('it failed');
  await expect(gate.run('a', async () => 'done')).resolves.toBe('done');
});

test('under any mix of parties never more than allowed runs, and everything that was let in ends', async () => {
  const limits = { atOnce: 5, eachAtOnce: 2, eachWaiting: 100 };
  const gate = new FairGate(limits);
  const running = new Map<string, number>();
  let done = 0;
  await Promise.all(
    Array.from({ length: 300 }, (_, number) => {
      const party = `party ${(number * 7) % 4}`;
      return gate.run(party, async () => {
        running.set(party, (running.get(party) ?? 0) + 1);
        expect(running.get(party)).toBeLessThanOrEqual(limits.eachAtOnce);
        expect(gate.running).toBeLessThanOrEqual(limits.atOnce);
        for (let turns = 0; turns < number % 3; turns++) await turn();
        running.set(party, (running.get(party) ?? 0) - 1);
        done++;
      });
    }),
  );
  expect(done).toBe(300);
  expect(gate.running).toBe(0);
});
