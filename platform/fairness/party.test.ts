import { expect, test } from 'vitest';
import { partyOfAddress } from './party.ts';

test('all addresses of an IPv6 network of 64 bits are one party', () => {
  expect(partyOfAddress('2001:db8:1:2::5')).toBe(partyOfAddress('2001:db8:1:2:ffff:ffff:ffff:1'));
  expect(partyOfAddress('2001:db8:1:2::5')).not.toBe(partyOfAddress('2001:db8:1:3::5'));
  expect(partyOfAddress('192.0.2.1')).toBe('192.0.2.1');
});
