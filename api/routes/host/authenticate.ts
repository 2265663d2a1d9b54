import { createMiddleware } from 'hono/factory';
import type { ApiEnvironment } from '../../context.ts';
import { conflict, unauthorized } from '../../errors.ts';
import type { HostTokens } from './host-tokens.ts';

/**
 * Lets hosts in by their own tokens, and leaves `host` for the handlers and in the log: who a host is, is never read from
 * anything else it sends. A host that an operator has declared gone is refused unless `goneMayEnter`.
 */
export function authenticateHost(tokens: HostTokens, { goneMayEnter }: { goneMayEnter: boolean }) {
  return createMiddleware<ApiEnvironment>(async (c, next) => {
    const token = /^Bearer +(\S+)$/i.exec(c.req.header('authorization') ?? '')?.[1];
    const host = token === undefined ? null : await tokens.find(token);
    if (!host) throw unauthorized();
    c.set('logger', c.var.logger.child({ host: host.name }));
    if (host.state === 'gone' && !goneMayEnter) {
      throw conflict('This host was declared gone. It may read its desired state only, until it is declared returned.');
    }
    c.set('host', { id: host.id, name: host.name });
    await next();
  });
}
