import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Logger } from 'pino';
import type { AdmitOperation } from '../admission/admission.ts';
import type { AcknowledgmentSink } from '../client/acknowledgment-sink.ts';
import type { Database } from '../db/database.ts';
import type { HostAnswer } from '../db/operations/acknowledgment.ts';
import type { BackgroundTasks } from './background-tasks.ts';
import type { WaitingHosts } from './host-commands/waiting-hosts.ts';
import type { ApiLimits } from './limits.ts';
import type { TokenUses } from './token-uses.ts';
import type { ApiWarmUp } from './warm-up.ts';

/** The account and rights behind a customer's bearer token. */
export interface Caller {
  accountId: number;
  tokenId: number;
  scopes: string[];
  requestsPerMinute: number;
  requestsPerHour: number;
}

/** An operator behind a token. */
export interface Operator {
  name: string;
  /** Null with the admin token. */
  tokenId: number | null;
}

/** What middleware leaves for the handlers. */
export interface ApiEnvironment {
  Variables: {
    requestId: string;
    logger: Logger;
    caller: Caller;
    /** The host behind a host agent's token; only on `/host/v1`. */
    host: { id: number; name: string };
    /** Only on `/internal/v1`. */
    operator: Operator;
    /** Set when the request carries an Idempotency-Key: the operation must run under this id. */
    operationId: string | undefined;
  };
}

export type ApiApp = OpenAPIHono<ApiEnvironment>;

/** Says whether a part the API needs answers; null is healthy, otherwise what is wrong. */
export type HealthProbe = () => Promise<string | null>;

/** Whom a listener serves: `/v2` is for customers, `/internal` for operators, `/host` for host agents. */
export const AUDIENCES = ['customers', 'operators', 'hosts'] as const;
export type Audience = (typeof AUDIENCES)[number];

/** Everything the API needs from outside; nothing is global. */
export interface ApiDependencies {
  db: Database;
  /** Admits operations, and has them carried out. */
  admit: AdmitOperation;
  acknowledgments: AcknowledgmentSink;
  /** Passes a host's answer to the worker in this process; true when an operation was waiting for it there. */
  notifyWorker: (answer: HostAnswer) => boolean;
  /** What is done after an answer is out. */
  backgroundTasks: BackgroundTasks;
  logger: Logger;
  adminToken: string;
  /** The long polls of this process; admits wake them. */
  waitingHosts: WaitingHosts;
  /** Aborted when the process is to stop: it still answers then, but wants no new requests. */
  stopping: AbortSignal;
  health: { mysql: HealthProbe; temporal: HealthProbe };
  /** While it runs, `/readyz` asks for timeouts; default none. */
  warmUp?: ApiWarmUp;
  /** Notes when tokens are used; default nowhere. */
  tokenUses?: TokenUses;
  /** How much one party may ask for; default those of an installation that sets none. */
  limits?: ApiLimits;
}
