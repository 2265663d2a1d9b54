import { BlockList, isIP, isIPv6 } from 'node:net';
import { getConnInfo } from '@hono/node-server/conninfo';
import type { Context } from 'hono';
import { plainAddress } from '../../platform/fairness/party.ts';
import type { ApiEnvironment } from '../context.ts';

/** Where requests come from without a socket, as when the app runs as a function. */
const NOWHERE = 'unknown';

/** Trusted proxies that a request may have come through. */
const MOST_PROXIES = 10;

/** Knows the addresses that requests come from, behind proxies that are trusted to say so. */
export class RemoteAddresses {
  readonly #trusted = new BlockList();

  /** `networks`: addresses, or networks with their prefix length. */
  constructor(networks: readonly string[]) {
    for (const network of networks) {
      const [address = '', bits] = network.split('/');
      const ipVersion = isIPv6(address) ? 'ipv6' : 'ipv4';
      if (bits === undefined) this.#trusted.addAddress(address, ipVersion);
      else this.#trusted.addSubnet(address, Number(bits), ipVersion);
    }
  }

  /** Whether this is the address of a proxy that is believed. */
  isTrusted(address: string): boolean {
    const plain = plainAddress(address);
    return isIP(plain) !== 0 && this.#trusted.check(plain, isIPv6(plain) ? 'ipv6' : 'ipv4');
  }

  /**
   * The address that a request comes from, as limits count it: the peer, or what trusted proxies say, from the last entry
   * of `X-Forwarded-For` to the first that no trusted proxy has. The entries before that are whatever a client has sent.
   */
  of(c: Context<ApiEnvironment>): string {
    let address = plainAddress(peerOf(c) ?? NOWHERE);
    if (!this.isTrusted(address)) return address;
    const claims = c.req.header('x-forwarded-for')?.split(',').slice(-MOST_PROXIES) ?? [];
    while (this.isTrusted(address)) {
      const claim = plainAddress(claims.pop()?.trim() ?? '');
      if (isIP(claim) === 0) break;
      address = claim;
    }
    return address;
  }
}

function peerOf(c: Context<ApiEnvironment>): string | null {
  try {
    return getConnInfo(c).remote.address ?? null;
  } catch {
    return null;
  }
}
