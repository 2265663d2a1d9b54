import { describe, expect, it } from 'vitest';
import { anchorFor, IPV6_ANCHOR_PREFIX } from './anchor.ts';

describe('the anchor of a droplet', () => {
  it('is its IPv4 anchor for an IPv4 address', () => {
    expect(anchorFor(4, '10.17.0.2')).toBe('10.17.0.2');
  });

  it('is the IPv4 anchor embedded in one unique-local range for an IPv6 address', () => {
    expect(IPV6_ANCHOR_PREFIX).toBe('fd5d:2a1c:7b60::/96');
    expect(anchorFor(6, '10.17.0.2')).toBe('fd5d:2a1c:7b60::a11:2');
  });

  it('is canonical, and another one for every IPv4 anchor', () => {
    expect(anchorFor(6, '10.0.0.1')).toBe('fd5d:2a1c:7b60::a00:1');
    expect(anchorFor(6, '10.255.255.255')).toBe('fd5d:2a1c:7b60::aff:ffff');
    expect(anchorFor(6, '10.1.0.0')).toBe('fd5d:2a1c:7b60::a01:0');
  });
});
