import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Logger } from 'pino';
import type { ReservedIpClient } from '../client/types.ts';
import type { Database } from '../db/database.ts';

/** The account and rights behind a customer's bearer token. */
export interface Caller {
  accountId: number;
  tokenId: number;
  scopes: string[];
}

/** What middleware leaves for the handlers. */
export interface ApiEnvironment {
  Variables: {
    requestId: string;
    logger: Logger;
    caller: Caller;
    /** The host behind a host agent's token; only on `/host/v1`. */
    host: { id: number; name: string };
    /** Set when the request carries an Idempotency-Key: the operation must run under this id. */
    operationId: string | undefined;
  };
}

export type ApiApp = OpenAPIHono<ApiEnvironment>;

/** Completes or fails the activity that waits for a host, by the operation behind the event. */
export interface AcknowledgmentSink {
  /** Tells the waiting workflow, if it still waits; a wait that is over is no error. */
  acknowledged(acknowledgment: AcknowledgedEvent): Promise<void>;
}

/** A host event that a host has answered. */
export interface AcknowledgedEvent {
  workflowId: string;
  operationId: string;
  host: string;
  change: 'attach' | 'detach';
  outcome: 'applied' | 'failed' | 'superseded';
  message: string | null;
}

/** Says whether a part the API needs answers; null is healthy, otherwise what is wrong. */
export type HealthProbe = () => Promise<string | null>;

/** Everything the API needs from outside; nothing is global. */
export interface ApiDependencies {
  db: Database;
  client: ReservedIpClient;
  acknowledgments: AcknowledgmentSink;
  logger: Logger;
  adminToken: string;
  health: { mysql: HealthProbe; temporal: HealthProbe };
}
