import type { IncomingMessage } from 'node:http';
import { formatHost, type Host, parseHost } from './host.ts';
import { malformed } from './rejection.ts';
import { readTarget } from './target.ts';

/*
 * What a request may name. Everything after this reads the URL that is made from the request line and `Host`, so both
 * are checked before anything does.
 */

/**
 * Checks host and target of a request, and puts the normalized ones in their place, so that whoever routes and whoever
 * forwards reads the same. Throws RequestRejectedError.
 */
export function checkRequest(incoming: IncomingMessage): void {
  const host = hostOf(incoming);
  const { target, authority } = readTarget(incoming.url ?? '');
  if (host !== null && authority !== null && formatHost(host) !== formatHost(authority)) {
    throw malformed('authority', 'The URL names another host than the Host header.');
  }
  incoming.url = target;
  incoming.headers.host = formatHost(host ?? authority ?? ownHost(incoming));
}

/** Null for a request of HTTP/1.0, which may do without. */
function hostOf(incoming: IncomingMessage): Host | null {
  const { rawHeaders, httpVersion } = incoming;
  let written: string | undefined;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at];
    if (name?.length !== 4 || name.toLowerCase() !== 'host') continue;
    if (written !== undefined) throw malformed('host', 'There must be one Host header.');
    written = rawHeaders[at + 1];
  }
  if (written === undefined) {
    if (httpVersion === '1.0') return null;
    throw malformed('host', 'There must be a Host header.');
  }
  const host = parseHost(written);
  if (host === null) throw malformed('host', 'The Host header names no valid host.');
  return host;
}

function ownHost({ socket }: IncomingMessage): Host {
  const { localAddress = '127.0.0.1', localPort = null } = socket;
  const address = localAddress.replace(/^::ffff:|%[\s\S]*$/g, '');
  return { name: address.includes(':') ? `[${address}]` : address, port: localPort };
}
