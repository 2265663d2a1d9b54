import { isIP } from 'node:net';
import { getConnInfo } from '@hono/node-server/conninfo';
import type { Context } from 'hono';
import type { Requester } from '../domain/requester.ts';
import type { ApiEnvironment } from './context.ts';

/** The customer's token behind a request, for the audit log. */
export function requesterOf(c: Context<ApiEnvironment>): Requester {
  return { kind: 'token', name: String(c.var.caller.tokenId), ...originOf(c) };
}

/** The operator behind a request to `/internal/v1`. */
export function operatorOf(c: Context<ApiEnvironment>): Requester {
  return { kind: 'admin', name: c.var.operator.name, ...originOf(c) };
}

function originOf(c: Context<ApiEnvironment>): Pick<Requester, 'requestId' | 'remote'> {
  return { requestId: c.var.requestId, remote: remoteOf(c) };
}

/**
 * The peer, and before it what the nearest proxy says it speaks for. Both are kept: whoever reads the log knows whether
 * the peer is a proxy that can be believed.
 */
function remoteOf(c: Context<ApiEnvironment>): string | null {
  const peer = peerOf(c);
  const forwarded = c.req.header('x-forwarded-for')?.split(',').at(-1)?.trim();
  // Any other text could be made to look like a peer, or be so long that the peer is cut off.
  return forwarded !== undefined && isIP(forwarded) !== 0 && peer !== null ? `${forwarded} via ${peer}` : peer;
}

/** Null where there is no socket, as when the app runs as a function. */
function peerOf(c: Context<ApiEnvironment>): string | null {
  try {
    return getConnInfo(c).remote.address ?? null;
  } catch {
    return null;
  }
}
