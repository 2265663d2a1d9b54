import { createMiddleware } from 'hono/factory';
import { type BodyLimits, LARGEST_BODY, readBody } from '../../platform/http/read-body.ts';
import type { ApiEnvironment } from '../context.ts';
import { payloadTooLarge } from '../errors.ts';

/** Rejects bodies that are larger than any honest request, by {@link readBody}. */
export function bodyLimit(limits: BodyLimits = {}) {
  const { maxBytes = LARGEST_BODY } = limits;
  return createMiddleware<ApiEnvironment>(async function bodyLimit(c, next) {
    const length = c.req.header('transfer-encoding') === undefined ? c.req.header('content-length') : undefined;
    const declared = length === undefined ? null : Number(length);
    if (declared !== null && declared <= maxBytes) return next();
    // Only now, because asking for it makes a whole Request of the web's.
    const { body } = c.req.raw;
    if (!body) return next();

    const { kept, whole } = await readBody(body[Symbol.asyncIterator](), declared, limits);
    if (kept === null) {
      if (!whole) c.header('connection', 'close');
      throw payloadTooLarge(maxBytes);
    }
    c.req.raw = new Request(c.req.raw, { body: new Uint8Array(kept) });
    return next();
  });
}
