import { expect, test } from 'vitest';
import type { Joined } from './join.ts';
import type { Forwarded, UpstreamName } from './logs.ts';
import { measureStep } from './measure.ts';

const STEP = {
  name: '5 %',
  command: 'npm run flip -- all 5',
  from: 10_000,
  to: 20_000,
  movedBefore: (accountId: number) => accountId === 1,
  moved: (accountId: number) => accountId <= 2,
  movesSomebody: true,
  split: { legacy: 1, new: 1 },
};

function passed(accountId: number, upstream: UpstreamName, beganAt: number): Forwarded {
  return { requestId: `${accountId}-${beganAt}`, accountId, codePath: 'reserved_ips.list', upstream, beganAt };
}

function answered(upstream: UpstreamName, beganAt: number, ms: number, problem: string | null = null): Joined {
  const request = { kind: 'request', accountId: 2, codePath: 'reserved_ips.assign', beganAt, ms, problem } as const;
  return { request, forwarded: passed(2, upstream, beganAt) };
}

test('the time to the new way is that of somebody whom the flip moved, not of who was there before', () => {
  const result = measureStep(
    STEP,
    [],
    [passed(1, 'new', 10_010), passed(2, 'legacy', 10_090), passed(2, 'new', 10_300)],
  );
  expect(result).toMatchObject({ newWayAfterMs: 300, oldWayUntilMs: 90, problems: [] });
});

test('whoever still goes the old way a second after the flip is a problem, also one whom it did not move', () => {
  const late = measureStep(STEP, [], [passed(2, 'new', 11_200), passed(2, 'legacy', 12_000)]);
  expect(late.problems).toEqual([
    '5 %: the first request went the new way 1200 ms after the flip',
    '5 %: a request went the old way 2000 ms after the flip',
  ]);
  const stray = measureStep(STEP, [], [passed(2, 'new', 10_100), passed(3, 'new', 15_000)]);
  expect(stray.problems).toEqual(['5 %: a request went the old way 5000 ms after the flip']);
});

test('a flip that moves somebody of whom no request goes the new way is a problem', () => {
  expect(measureStep(STEP, [], [passed(1, 'new', 15_000)]).problems).toEqual([
    '5 %: nobody whom it moved was seen to go the new way',
  ]);
});

test('requests belong to the step in which they were answered', () => {
  const joined = [
    answered('legacy', 9_900, 50),
    answered('legacy', 9_990, 200),
    answered('new', 15_000, 30, 'Request failed with status code 500'),
    answered('new', 19_990, 100),
  ];
  const { requests, failed, latencies } = measureStep(STEP, joined, [passed(2, 'new', 10_010)]);
  expect({ requests, failed }).toEqual({ requests: 2, failed: 1 });
  expect(latencies.changes).toEqual({
    legacy: { count: 1, p50: 200, p99: 200 },
    new: { count: 1, p50: 30, p99: 30 },
  });
  expect(latencies.reads).toEqual({ legacy: null, new: null });
});
