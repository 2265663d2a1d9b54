import { expect, test } from 'vitest';
import { seededRandom } from '../../dev/kit/random.ts';
import { READERS, respell } from '../../test/support/respelled-requests.ts';
import { RequestRejectedError } from './rejection.ts';
import { normalizeTarget, readTarget } from './target.ts';

/** How a target is rejected; null when it is not. */
function rejectionOf(read: () => unknown): number | null {
  try {
    read();
    return null;
  } catch (error) {
    if (error instanceof RequestRejectedError) return error.status;
    throw error;
  }
}

test.each([
  ['/', '/'],
  ['/v2/reserved_ips?page=2&per_page=5', '/v2/reserved_ips?page=2&per_page=5'],
  ['/v2/reserved%5Fips/192%2e0%2E2%2E1/', '/v2/reserved_ips/192.0.2.1/'],
  ['/v2/reserved_ipv6/2001%3adb8%3a%3a1', '/v2/reserved_ipv6/2001%3Adb8%3A%3A1'],
  ['/v2/domains/b%c3%bccher%20', '/v2/domains/b%C3%BCcher%20'],
  ['/v2/actions?a=/../b;c%2f%zz//"|', '/v2/actions?a=/../b;c%2f%zz//"|'],
  ['/v2/reserved_ips/x%0a%1b%7f', '/v2/reserved_ips/x%0A%1B%7F'],
  ['/...', '/...'],
  ['/?', '/?'],
])('%s is %s', (written, target) => {
  expect(normalizeTarget(written)).toBe(target);
  expect(normalizeTarget(target)).toBe(target);
  expect(readTarget(`http://api:80${written}`)).toEqual({ target, authority: { name: 'api', port: 80 } });
});

test.each([
  ...['', '*', 'v2/account', 'api:443', 'ftp://api/', 'http:/api/', 'http:api', 'http://', '//', 'http:///v2'],
  ...['/..', '/.', '/v2/../internal', '/v2/./account', '/v2/%2e%2e/internal', '/v2/%2E./x', '/v2/.%2e', '/v2/x/..?'],
  ...[
    '/v2\\account',
    '/v2/\t',
    '/v2/\f',
    '/v2/ü',
    '/v2/\x80',
    '/v2/#',
    '/v2?a#b',
    '/v2/<',
    '/v2/|',
    '/v2/{x}',
    '/v2/^',
  ],
  ...['/v2/"', '/v2/`', '/v2/[x]', '/v2? ', '/v2?\x00', '/\x7f', 'http://user@api/', 'http://1/', 'http://a\\b/'],
  ...['//v2', '/v2//account', '/v2/x//', '/%69nternal', '/%76%32/account', '/v2%2faccount', '/v2/x%2fy', '/v2/x%5Cy'],
  ...[
    '/v2/x%00',
    '/v2/reserved_ips%20',
    '/v2/%72eserved%zz',
    '/v2/x%',
    '/v2/x%2',
    '/v2/x%zz',
    '/v2/x%u002e',
    '/v2/x%c0%ae',
  ],
  ...[
    '/v2/x%252e',
    '/v2/x%2525',
    '/v2/x;y',
    '/v2;x/account',
    '/v2/..;/internal',
    '/;/internal',
    '/v2/x%3by',
    '/v2/x%3F',
  ],
])('%j is rejected', (written) => {
  expect(rejectionOf(() => readTarget(written))).toSatisfy((status: unknown) => status === 400 || status === 404);
});

test('no reader sees other segments in a normalized path than those that are there', () => {
  const random = seededRandom(7);
  const outcomes = { accepted: 0, rejected: 0 };
  const paths = ['/v2/reserved_ips/192.0.2.1/actions', '/internal/v1/accounts', '/v2/account', '/host/v1/events'];
  for (let count = 0; count < 20_000; count++) {
    const written = respell(random.from(paths), random);
    const rejection = rejectionOf(() => {
      const path = normalizeTarget(written).split('?')[0] ?? '';
      outcomes.accepted++;
      const depth = path.split('/').length;
      for (const read of READERS) expect(read(path).split('/').length, `${written}: ${path}`).toBe(depth);
    });
    if (rejection !== null) outcomes.rejected++;
  }
  expect(outcomes.accepted).toBeGreaterThan(1_000);
  expect(outcomes.rejected).toBeGreaterThan(5_000);
});

test('takes a time that does not depend on what is written', () => {
  for (const sign of ['/', '.', '%', '%2e', '/.', '/a', ';', '\\', '?', 'a', '%25', '-', '@', 'ü', ':']) {
    const written = `/v2/x${sign.repeat(Math.floor(16_000 / sign.length))}`;
    const began = performance.now();
    for (let time = 0; time < 10; time++) rejectionOf(() => readTarget(written));
    expect((performance.now() - began) / 10, sign).toBeLessThan(5);
  }
});
