import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { plainAddress } from '../platform/fairness/party.ts';

/** The address that a request comes from: the peer, or who the proxy in front says that it speaks for, if it is believed. */
export function clientAddress({ headers, socket }: IncomingMessage, trustForwarded: boolean): string {
  const peer = plainAddress(socket.remoteAddress ?? 'unknown');
  if (!trustForwarded) return peer;
  // The entries before the last are whatever a client has sent.
  const said = plainAddress(headers['x-forwarded-for']?.toString().split(',').at(-1)?.trim() ?? '');
  return isIP(said) === 0 ? peer : said;
}
