import { createMiddleware } from 'hono/factory';
import type { ApiEnvironment } from '../../context.ts';
import { type Fairness, spendOrReject } from '../../fairness/fairness.ts';

/** Bytes of the shortest acknowledgment. A body costs by its bytes, since reading one that is wrong costs no less. */
const BYTES_EACH = 50;

/**
 * Takes from what a host has left as much as its body may have of acknowledgments, before the body is read: many bodies at
 * a time get no further than one after the other. One that does not say its length costs as the largest. Throws 429 when
 * the host has nothing left.
 */
export function chargeAcknowledgments({ hostAcknowledgments }: Fairness, largestBody: number) {
  return createMiddleware<ApiEnvironment>(async function chargeAcknowledgments(c, next) {
    const isChunked = c.req.header('transfer-encoding') !== undefined;
    const declared = isChunked ? largestBody : Number(c.req.header('content-length') ?? 0);
    const bytes = Math.min(declared, largestBody);
    spendOrReject(hostAcknowledgments, c.var.host.name, Math.max(1, Math.ceil(bytes / BYTES_EACH)));
    await next();
  });
}
