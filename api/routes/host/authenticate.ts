import { createMiddleware } from 'hono/factory';
import { hashToken } from '../../../db/tokens.ts';
import { isTokenOf } from '../../../domain/tokens.ts';
import type { ApiEnvironment } from '../../context.ts';
import { conflict, unauthorized } from '../../errors.ts';
import { type Fairness, spendOrReject } from '../../fairness/fairness.ts';
import type { TokenUses } from '../../token-uses.ts';
import type { HostTokens } from './host-tokens.ts';

/** Options of {@link authenticateHost}. */
export interface AuthenticateHostOptions {
  tokens: HostTokens;
  fairness: Fairness;
  tokenUses?: TokenUses | undefined;
  /** Whether a host that an operator has declared gone is let in. */
  goneMayEnter: boolean;
  /** How many requests of the host it counts as; default 1. */
  cost?: number;
}

/**
 * Lets hosts in by their own tokens and at their own rate, and leaves `host` for the handlers and in the log: who a host
 * is, is never read from anything else it sends.
 */
export function authenticateHost({ tokens, fairness, tokenUses, goneMayEnter, cost = 1 }: AuthenticateHostOptions) {
  const { wrongTokens, hostRequests } = fairness;
  return createMiddleware<ApiEnvironment>(async (c, next) => {
    const token = /^Bearer +(\S+)$/i.exec(c.req.header('authorization') ?? '')?.[1];
    if (token === undefined) throw unauthorized();
    if (!isTokenOf('host', token)) throw wrongTokens.host.failed(c);
    const hash = hashToken(token);
    const host =
      (await tokens.known(hash)) ??
      (await wrongTokens.host.find(c, hash.toString('base64'), () => tokens.lookUp(hash)));
    c.set('logger', c.var.logger.child({ host: host.name }));
    spendOrReject(hostRequests, host.name, cost);
    tokenUses?.note('host', host.tokenId, fairness.addresses.of(c));
    if (host.state === 'gone' && !goneMayEnter) {
      throw conflict('This host was declared gone. It may read its desired state only, until it is declared returned.');
    }
    c.set('host', { id: host.id, name: host.name });
    await next();
  });
}
