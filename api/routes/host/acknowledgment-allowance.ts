import { createMiddleware } from 'hono/factory';
import type { ApiEnvironment } from '../../context.ts';
import { type Fairness, spendOrRefuse } from '../../fairness/fairness.ts';

/** Bytes of the shortest acknowledgment. A body costs by its bytes, since reading one that is wrong costs no less. */
const BYTES_EACH = 50;

/** Refuses a host that has nothing left of its acknowledgments a second, before its body is read. */
export function hostMayAcknowledge({ hostAcknowledgments }: Fairness) {
  return createMiddleware<ApiEnvironment>(async function hostMayAcknowledge(c, next) {
    spendOrRefuse(hostAcknowledgments, c.var.host.name, 0);
    await next();
  });
}

/** Takes from what the host has left as much as its body may have of acknowledgments; comes after the limit of the body. */
export function chargeBody({ hostAcknowledgments }: Fairness) {
  return createMiddleware<ApiEnvironment>(async function chargeBody(c, next) {
    const { byteLength } = await c.req.arrayBuffer();
    hostAcknowledgments.spend(c.var.host.name, Math.max(1, Math.ceil(byteLength / BYTES_EACH)));
    await next();
  });
}
