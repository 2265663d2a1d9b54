import { expect, test } from 'vitest';
import type { CodePath } from '../../../edge/code-paths.ts';
import type { ClientRequest } from './clients/record.ts';
import { joinRequests } from './join.ts';
import type { Forwarded } from './logs.ts';

function asked(accountId: number, codePath: CodePath, beganAt: number): ClientRequest {
  return { kind: 'request', accountId, codePath, beganAt, ms: 5, problem: null };
}

function passed(accountId: number, codePath: CodePath, beganAt: number): Forwarded {
  return { requestId: `${accountId}-${beganAt}`, accountId, codePath, upstream: 'new', beganAt };
}

test('requests are found again in the order of their account, whichever gateway passed them on', () => {
  const { joined, problems } = joinRequests(
    [asked(1, 'reserved_ips.list', 10), asked(2, 'reserved_ips.show', 11), asked(1, 'reserved_ips.show', 30)],
    [passed(1, 'reserved_ips.show', 31), passed(2, 'reserved_ips.show', 12), passed(1, 'reserved_ips.list', 11)],
  );
  expect(problems).toEqual([]);
  expect(joined.map(({ request, forwarded }) => [request.beganAt, forwarded.requestId])).toEqual([
    [10, '1-11'],
    [30, '1-31'],
    [11, '2-12'],
  ]);
});

test('a request that a library repeated by itself is a problem, though its client saw it succeed', () => {
  const { problems } = joinRequests(
    [asked(1, 'reserved_ips.assign', 10), asked(1, 'reserved_ips.show', 30)],
    [passed(1, 'reserved_ips.assign', 11), passed(1, 'reserved_ips.assign', 15), passed(1, 'reserved_ips.show', 31)],
  );
  expect(problems).toEqual([
    'account 1 sent 2 requests, and the gateways had 3 of it',
    'request 2 of account 1 was reserved_ips.show to its client, reserved_ips.assign to a gateway',
  ]);
});

test('a request that never came to a gateway is a problem', () => {
  const { problems } = joinRequests([asked(1, 'reserved_ips.list', 10)], []);
  expect(problems).toEqual(['account 1 sent 1 requests, and the gateways had 0 of it']);
});
