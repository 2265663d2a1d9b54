import { createMiddleware } from 'hono/factory';
import type { ApiEnvironment } from '../context.ts';
import { payloadTooLarge } from '../errors.ts';

/** Options of {@link bodyLimit}. */
export interface BodyLimitOptions {
  /** Most bytes of a request's body; default 65536. */
  maxBytes?: number;
  /** Most bytes that are read of a body that is too large; default 16 MiB. */
  mostReadBytes?: number;
  /** Most time that is spent on reading a body that is too large, in milliseconds; default 2000. */
  mostReadMs?: number;
}

/**
 * Refuses bodies that are larger than any honest request. Such a body is read to its end and thrown away, because a
 * client that still sends when its connection is closed does not see the refusal; beyond all measure it is cut off.
 */
export function bodyLimit(options: BodyLimitOptions = {}) {
  const { maxBytes = 65_536, mostReadBytes = 16_777_216, mostReadMs = 2_000 } = options;
  return createMiddleware<ApiEnvironment>(async function bodyLimit(c, next) {
    const { body, headers } = c.req.raw;
    const declared = headers.has('transfer-encoding') ? null : headers.get('content-length');
    if (!body || (declared !== null && Number(declared) <= maxBytes)) return next();

    const { size, kept, whole } = await read(body, { maxBytes, mostReadBytes, mostReadMs });
    if (size > maxBytes) {
      if (!whole) c.header('connection', 'close');
      throw payloadTooLarge(maxBytes);
    }
    c.req.raw = new Request(c.req.raw, { body: kept });
    return next();
  });
}

/** Reads a body, and keeps what is no more than `maxBytes` of it. */
async function read(
  body: ReadableStream<Uint8Array>,
  { maxBytes, mostReadBytes, mostReadMs }: Required<BodyLimitOptions>,
): Promise<{ size: number; kept: Buffer; whole: boolean }> {
  const reader = body.getReader();
  const kept: Uint8Array[] = [];
  let size = 0;
  let whole = true;
  let timer: NodeJS.Timeout | undefined;
  const cutOff = () => {
    whole = false;
    void reader.cancel();
  };
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    size += next.value.length;
    if (size <= maxBytes) kept.push(next.value);
    else timer ??= setTimeout(cutOff, mostReadMs);
    if (size > mostReadBytes) cutOff();
  }
  clearTimeout(timer);
  return { size, kept: Buffer.concat(kept), whole };
}
