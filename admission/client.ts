import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import { operationHandle } from '../client/handle.ts';
import { clientOf } from '../client/operations.ts';
import type { OperationHandle, RequestBase, ReservedIpClient } from '../client/types.ts';
import type { Database } from '../db/database.ts';
import type { AdmissionResult, OperationRules } from '../db/operations/admit.ts';
import type { Decision } from '../domain/decision.ts';
import type { Operation } from '../domain/operation.ts';
import type { Requester } from '../domain/requester.ts';
import type { OperationTimeouts } from '../domain/timeouts.ts';
import { OperationStarter, type StartOutcome } from '../outbox/starter.ts';
import { createAdmission } from './admission.ts';

/** Options of {@link openAdmittingClient}. */
export interface AdmittingClientOptions {
  db: Database;
  temporal: Client;
  logger: Logger;
  rules: OperationRules;
  timeouts: OperationTimeouts;
  /** Name of the service that this client is for, as the audit log has it; default `internal`. */
  service?: string;
}

/**
 * The door to the operations for services that reach the database: decisions come by the same function as the API's, and
 * need no worker. `close` waits for what is being started.
 */
export function openAdmittingClient(options: AdmittingClientOptions): ReservedIpClient & { close(): Promise<void> } {
  const { db, temporal, logger, rules, timeouts, service = 'internal' } = options;
  const requestedBy: Requester = { kind: 'service', name: service, requestId: null, remote: null };
  const starter = new OperationStarter({ db, temporal, logger, timeouts });

  async function run<Request extends RequestBase>(
    request: Request,
    build: (request: Request) => Operation,
  ): Promise<OperationHandle> {
    const operation = build({ requestedBy, ...request });
    const starts: Promise<StartOutcome>[] = [];
    const admit = createAdmission({
      db,
      rules,
      notifyHosts: () => {},
      start: (admittedOperation, admitted) => starts.push(starter.start(admittedOperation, admitted)),
    });
    const result = await admit(operation, { mayBeRepeated: request.operationId !== undefined });
    return operationHandle(temporal, operation, decisionOf(operation, result), async () => {
      const [started] = await Promise.all(starts);
      return started?.kind === 'started' ? started.runId : null;
    });
  }

  return { ...clientOf(run), close: () => starter.close() };
}

function decisionOf({ id }: Operation, result: AdmissionResult): Decision {
  switch (result.kind) {
    case 'admitted':
      return result.admitted;
    case 'repeated':
      return result.decision;
    case 'rejected':
      return { kind: 'refused', operationId: id, refusal: result.reason };
  }
}
