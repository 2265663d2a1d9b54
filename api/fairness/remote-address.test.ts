import { Hono } from 'hono';
import { expect, test } from 'vitest';
import type { ApiEnvironment } from '../context.ts';
import { RemoteAddresses } from './remote-address.ts';

/** What the limits take for the address of a request from this peer with this header. */
async function addressOf(trusted: string[], peer: string, forwarded?: string): Promise<string> {
  const addresses = new RemoteAddresses(trusted);
  const app = new Hono<ApiEnvironment>().get('/', (c) => c.text(addresses.of(c)));
  const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded };
  const environment = { incoming: { socket: { remoteAddress: peer, remotePort: 1, remoteFamily: 'IPv4' } } };
  return (await app.request('/', { headers }, environment)).text();
}

test.each<[string, string[], string, string | undefined, string]>([
  ['the peer', [], '192.0.2.1', undefined, '192.0.2.1'],
  ['the peer, whatever it claims', [], '192.0.2.1', '198.51.100.9', '192.0.2.1'],
  ['the peer when another proxy is trusted', ['10.0.0.0/8'], '192.0.2.1', '198.51.100.9', '192.0.2.1'],
  ['what a trusted proxy says', ['10.0.0.0/8'], '10.1.2.3', '198.51.100.9', '198.51.100.9'],
  [
    'what it says last, not what a client put before it',
    ['10.0.0.1'],
    '10.0.0.1',
    '203.0.113.5, 198.51.100.9',
    '198.51.100.9',
  ],
  [
    'what the first of two trusted proxies says',
    ['10.0.0.0/8'],
    '10.0.0.1',
    '203.0.113.5, 198.51.100.9, 10.0.0.2',
    '198.51.100.9',
  ],
  ['the proxy that says nothing', ['10.0.0.0/8'], '10.0.0.1', undefined, '10.0.0.1'],
  ['the proxy that says what is no address', ['10.0.0.0/8'], '10.0.0.1', 'x"\u00e4, unknown', '10.0.0.1'],
  ['an IPv4 peer in its IPv6 form', ['10.0.0.0/8'], '::ffff:10.0.0.1', '::ffff:198.51.100.9', '198.51.100.9'],
  ['what a trusted IPv6 proxy says', ['fd00::/8'], 'fd00::1', '2001:db8::5', '2001:db8::5'],
])('the address of a request is %s', async (_, trusted, peer, forwarded, expected) => {
  const header = forwarded?.replaceAll('\u00e4', '%C3%A4');
  expect(await addressOf(trusted, peer, header)).toBe(expected);
});
