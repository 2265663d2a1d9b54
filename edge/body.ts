import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';

/** A request's body on its way to an upstream, and as much of it as had to be read to know which. */
export interface RequestBody {
  /** The bytes as they came, to their end; null when the request has no body. */
  stream: Readable | null;
  /** The whole body, if it is no larger than what may be read ahead; null otherwise. */
  whole: Buffer | null;
}

/** The body as it comes, with nothing read of it. */
export function streamedBody(incoming: IncomingMessage): RequestBody {
  return { stream: hasBody(incoming) ? onwards([], incoming[Symbol.asyncIterator]()) : null, whole: null };
}

/** Reads a body ahead. One that is larger than `maxBytes` is passed on all the same, but not looked at. */
export async function readAhead(incoming: IncomingMessage, maxBytes: number): Promise<RequestBody> {
  if (!hasBody(incoming) || Number(incoming.headers['content-length'] ?? 0) > maxBytes) return streamedBody(incoming);
  const source: AsyncIterator<Buffer> = incoming[Symbol.asyncIterator]();
  const chunks: Buffer[] = [];
  let size = 0;
  for (let next = await source.next(); !next.done; next = await source.next()) {
    chunks.push(next.value);
    size += next.value.length;
    if (size > maxBytes) return { stream: onwards(chunks, source), whole: null };
  }
  return { stream: onwards(chunks, source), whole: Buffer.concat(chunks) };
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
function onwards(start: Buffer[], rest: AsyncIterator<Buffer>): Readable {
  async function* bytes() {
    yield* start;
    for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
  }
  return Readable.from(bytes(), { objectMode: false });
}
