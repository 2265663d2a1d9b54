import { createMiddleware } from 'hono/factory';
import type { Logger } from 'pino';
import type { Database } from '../../db/database.ts';
import type { HostIdentity } from '../../db/hosts.ts';
import { Allowance } from '../../platform/fairness/allowance.ts';
import { FairGate, TooManyWaitingError } from '../../platform/fairness/fair-gate.ts';
import type { ApiEnvironment, Caller, Operator } from '../context.ts';
import { tooManyRequests } from '../errors.ts';
import type { ApiLimits } from '../limits.ts';
import { LineBudget } from './line-budget.ts';
import { RemoteAddresses } from './remote-address.ts';
import { WrongTokens } from './wrong-tokens.ts';

/** How many seconds of its rate a host may have saved up. */
const SAVED_SECONDS = 5;
/** It is large, and nobody needs it often. */
const DOCUMENTS_PER_SECOND = 10;
/** A small part of the connections to the database. */
const HOSTS = { atOnce: 6, eachAtOnce: 1 };

/** Everything that keeps one party from taking an API process from the others. */
export interface Fairness {
  limits: ApiLimits;
  addresses: RemoteAddresses;
  wrongTokens: {
    customer: WrongTokens<Caller>;
    host: WrongTokens<HostIdentity>;
    operator: WrongTokens<Operator & { tokenId: number }>;
  };
  rejectedLines: LineBudget;
  /** Requests of customers; a party is an account. */
  customers: FairGate;
  /** Recording what hosts say, a part of a batch at a time; a party is a host. */
  hosts: FairGate;
  hostRequests: Allowance;
  hostAcknowledgments: Allowance;
  /** The description of the API, which anybody may read; a party is an address. */
  openDocuments: Allowance;
}

/** Makes it from the limits of the process. */
export function createFairness(options: { db: Database; logger: Logger; limits: ApiLimits }): Fairness {
  const { db, logger, limits } = options;
  const addresses = new RemoteAddresses(limits.API_TRUSTED_PROXIES);
  const perMinute = limits.API_WRONG_TOKENS_PER_MINUTE;
  const wrong = { db, logger, addresses, perMinute };
  const allowanceOf = (perSecond: number) => new Allowance({ perSecond, most: perSecond * SAVED_SECONDS });
  return {
    limits,
    addresses,
    wrongTokens: {
      customer: new WrongTokens({ ...wrong, kind: 'customer' }),
      host: new WrongTokens({ ...wrong, kind: 'host' }),
      operator: new WrongTokens({ ...wrong, kind: 'operator' }),
    },
    rejectedLines: new LineBudget({ logger, perSecond: limits.API_REFUSED_LINES_PER_SECOND }),
    customers: new FairGate({
      atOnce: limits.API_REQUESTS_AT_ONCE,
      eachAtOnce: limits.API_ACCOUNT_REQUESTS_AT_ONCE,
      eachWaiting: limits.API_WAITING_REQUESTS,
    }),
    hosts: new FairGate({ ...HOSTS, eachWaiting: limits.API_WAITING_REQUESTS }),
    hostRequests: allowanceOf(limits.API_HOST_REQUESTS_PER_SECOND),
    hostAcknowledgments: allowanceOf(limits.API_HOST_ACKNOWLEDGMENTS_PER_SECOND),
    openDocuments: allowanceOf(DOCUMENTS_PER_SECOND),
  };
}

/** Lets the accounts take turns when there are more requests than can be worked on; 429 beyond what may wait. */
export function fairTurns({ customers }: Fairness) {
  return createMiddleware<ApiEnvironment>((c, next) =>
    takingTurns(customers, `account ${c.var.caller.accountId}`, async () => {
      await next();
    }),
  );
}

/** Works when it is the party's turn. Throws 429 when too much of it waits. */
export async function takingTurns<Result>(gate: FairGate, party: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await gate.run(party, work);
  } catch (error) {
    if (error instanceof TooManyWaitingError) throw tooManyRequests(1);
    throw error;
  }
}

/** Spends on a party's behalf. Throws 429 when nothing is left. */
export function spendOrReject(allowance: Allowance, party: string, cost: number): void {
  const wait = allowance.wait(party);
  if (wait > 0) throw tooManyRequests(wait);
  allowance.spend(party, cost);
}
