import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { type BodyLimits, LARGEST_BODY, readBody } from '../platform/http/read-body.ts';
import { BodyTooLargeError } from './errors.ts';

/** A request's body on its way to an upstream, and as much of it as had to be read to know which. */
export interface RequestBody {
  /** The bytes as they came, to their end; null when the request has no body. */
  stream: Readable | null;
  /** The whole body, when it was read ahead; null otherwise. */
  whole: Buffer | null;
}

/** The body as it comes, with nothing read of it. */
export function streamedBody(incoming: IncomingMessage): RequestBody {
  return { stream: hasBody(incoming) ? onwards(incoming[Symbol.asyncIterator]()) : null, whole: null };
}

/**
 * Reads a body ahead, so that it can be looked at. Throws {@link BodyTooLargeError} for one that the API does not take:
 * passed on without a look, it would be a way around the flags.
 */
export async function readAhead(incoming: IncomingMessage, limits: BodyLimits = {}): Promise<RequestBody> {
  if (!hasBody(incoming)) return streamedBody(incoming);
  const { 'transfer-encoding': encoding, 'content-length': length } = incoming.headers;
  const declared = encoding === undefined && length !== undefined ? Number(length) : null;
  const { kept, whole } = await readBody(incoming[Symbol.asyncIterator](), declared, limits);
  if (kept === null) throw new BodyTooLargeError(limits.maxBytes ?? LARGEST_BODY, whole);
  return { stream: Readable.from(kept.length === 0 ? [] : [kept], { objectMode: false }), whole: kept };
}

/** What the body says as JSON, as the API reads it: of a key that is there twice, the last counts. Undefined when it is none. */
export function jsonOf({ whole }: RequestBody): unknown {
  if (whole === null || !isUtf8(whole)) return undefined;
  try {
    // Decoding takes a byte order mark away.
    return JSON.parse(new TextDecoder().decode(whole));
  } catch {
    return undefined;
  }
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/**
 * A stream of its own, which an upstream may destroy when it has answered before it has read everything: the client's
 * connection, over which that answer goes, is not touched.
 */
function onwards(rest: AsyncIterator<Buffer>): Readable {
  async function* bytes() {
    for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
  }
  return Readable.from(bytes(), { objectMode: false });
}
