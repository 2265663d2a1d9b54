import { createMiddleware } from 'hono/factory';
import { type BodyLimits, LARGEST_BODY, readBody } from '../../http/read-body.ts';
import type { ApiEnvironment } from '../context.ts';
import { payloadTooLarge } from '../errors.ts';

/** Rejects bodies that are larger than any honest request, by {@link readBody}. */
export function bodyLimit(limits: BodyLimits = {}) {
  const { maxBytes = LARGEST_BODY } = limits;
  return createMiddleware<ApiEnvironment>(async function bodyLimit(c, next) {
    const { body, headers } = c.req.raw;
    const length = headers.has('transfer-encoding') ? null : headers.get('content-length');
    const declared = length === null ? null : Number(length);
    if (!body || (declared !== null && declared <= maxBytes)) return next();

    const { kept, whole } = await readBody(body[Symbol.asyncIterator](), declared, limits);
    if (kept === null) {
      if (!whole) c.header('connection', 'close');
      throw payloadTooLarge(maxBytes);
    }
    c.req.raw = new Request(c.req.raw, { body: new Uint8Array(kept) });
    return next();
  });
}
