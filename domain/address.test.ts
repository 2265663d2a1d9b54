import { describe, expect, it } from 'vitest';
import { addressFromBytes, addressToBytes, parseAddress } from './address.ts';

describe('reading an address', () => {
  it.each([
    ['203.0.113.7', '203.0.113.7'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:0db8::0001', '2001:db8::1'],
    ['2001:db8::192.0.2.1', '2001:db8::c000:201'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
  ])('takes %s for %s', (text, address) => {
    expect(parseAddress(text)).toBe(address);
    expect(addressFromBytes(addressToBytes(address))).toBe(address);
  });

  it.each([
    '',
    '203.0.113',
    '203.0.113.07',
    '203.0.113.7:80',
    '2001:db8::1%eth0',
    '[2001:db8::1]',
    '2001:db8::1/64',
    '2001:db8::1::2',
    '2001:db8::12345',
    '2001:db8::192.0.2.01',
    '2001:db8::0x1.2.3.4',
    ' 2001:db8::1',
  ])('takes "%s" for none', (text) => {
    expect(parseAddress(text)).toBeNull();
  });
});
