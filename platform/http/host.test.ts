import { expect, test } from 'vitest';
import { HONEST_HOSTS, HOSTILE_HOSTS } from '../../test/support/respelled-requests.ts';
import { formatHost, parseHost } from './host.ts';

test.each(HOSTILE_HOSTS)('%j is no host', (text) => {
  expect(parseHost(text)).toBeNull();
});

test.each(HONEST_HOSTS)('%j is the host that the URL parser reads', (text) => {
  const host = parseHost(text);
  if (host === null) throw new Error('it is none');
  const url = new URL(`http://${text}`);
  expect(host.name).toBe(url.hostname);
  expect(new URL(`http://${formatHost(host)}`).host).toBe(url.host);
});

test('whatever is a host leaves the path of a URL alone', () => {
  const signs = [
    'a',
    '1',
    '0x',
    '.',
    '-',
    '_',
    ':',
    '[',
    ']',
    '/',
    '\\',
    '?',
    '#',
    '@',
    '%',
    'ü',
    ' ',
    'xn--',
    '::1',
    '\t',
  ];
  let accepted = 0;
  for (let number = 0; number < 20 ** 4; number++) {
    const text = [0, 1, 2, 3].map((place) => signs[Math.floor(number / 20 ** place) % 20]).join('');
    const host = parseHost(text);
    if (host === null) continue;
    accepted++;
    const url = new URL(`http://${text}/v2/account?a=b`);
    expect([url.hostname, url.pathname, url.search, url.username], text).toEqual([
      host.name,
      '/v2/account',
      '?a=b',
      '',
    ]);
  }
  expect(accepted).toBeGreaterThan(100);
});
