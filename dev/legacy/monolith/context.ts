import type { Context } from 'hono';
import type { Logger } from 'pino';
import type { Database } from '../../../db/database.ts';
import type { Emitter } from './emit.ts';
import type { InnerServices } from './inner-services.ts';

/** What the monolith works with. */
export interface Monolith {
  db: Database;
  services: InnerServices;
  emitter: Emitter;
  logger: Logger;
}

export interface LegacyEnvironment {
  Variables: { requestId: string; caller: Caller };
}
export type LegacyContext = Context<LegacyEnvironment>;

/** Who is asking, by the session service's word. */
export interface Caller {
  accountId: number;
  scopes: string[];
}

/** The two names of the same store. */
export const RESOURCE_NAMES = ['reserved_ips', 'floating_ips'] as const;
export type ResourceName = (typeof RESOURCE_NAMES)[number];

/** One address in an answer, and what its actions say that they are about. */
export function singular(resourceName: ResourceName): 'reserved_ip' | 'floating_ip' {
  return resourceName === 'reserved_ips' ? 'reserved_ip' : 'floating_ip';
}

/** What the address is called in the messages of a resource name. */
export function nounOf(resourceName: ResourceName): string {
  return resourceName === 'reserved_ips' ? 'reserved IP' : 'floating IP';
}
