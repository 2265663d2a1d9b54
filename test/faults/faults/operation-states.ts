import { Client, Connection } from '@temporalio/client';
import { createConnection, type RowDataPacket } from 'mysql2/promise';
import { z } from 'zod';
import type { Address } from '../../../domain/address.ts';
import { admittedSchema } from '../../../domain/decision.ts';
import { OPERATION } from '../../../domain/search-attributes.ts';
import type { FaultEnvironment } from '../environment.ts';

const TIMEOUT_MS = 2_000;

/** How far an admitted operation has come. */
export interface OperationState {
  operationId: string;
  /** The number of its action; of its last one where it has two. */
  actionId: number;
  kind: string;
  address: Address;
  /** It is in the outbox. */
  waits: boolean;
  /** Its workflow has started. */
  started: boolean;
}

const rowsSchema = z.array(
  z.object({
    id: z.string(),
    kind: z.string(),
    workflowId: z.string(),
    action: z.coerce.number(),
    hasEnded: z.coerce.number(),
    verdict: z.string().transform((text) => admittedSchema.parse(JSON.parse(text))),
    waits: z.coerce.number(),
  }),
);

/** The state of those of the operations that are committed. Throws when a server does not answer. */
export async function readOperationStates(
  environment: FaultEnvironment,
  operationIds: string[],
): Promise<OperationState[]> {
  if (operationIds.length === 0) return [];
  const connection = await createConnection({ uri: environment.mysqlUrl, connectTimeout: TIMEOUT_MS });
  const temporal = await Connection.connect({ address: environment.temporalAddress, connectTimeout: TIMEOUT_MS });
  try {
    const [found] = await connection.query<RowDataPacket[]>(
      `SELECT operations.id, operations.kind, operations.workflow_id AS workflowId,
              MAX(actions.id) AS action, MIN(actions.status <> 'in-progress') AS hasEnded,
              operations.verdict,
              EXISTS (SELECT 1 FROM outbox WHERE outbox.operation_id = operations.id) AS waits
       FROM operations JOIN actions ON actions.operation_id = operations.id
       WHERE operations.id IN (?) AND operations.decision = 'admitted' 
       GROUP BY operations.id, operations.kind, operations.workflow_id, operations.verdict`,
      [operationIds],
    );
    const client = new Client({ connection: temporal });
    return await Promise.all(
      rowsSchema.parse(found).map(async ({ id, kind, workflowId, action, hasEnded, verdict, waits }) => {
        // The next operation of the address may have followed at once.
        const isDone = hasEnded === 1 && !verdict.settled;
        const started = isDone || (await isNewestRun(client, workflowId, id));
        return { operationId: id, actionId: action, kind, address: verdict.address, waits: waits === 1, started };
      }),
    );
  } finally {
    connection.destroy();
    await temporal.close();
  }
}

async function isNewestRun(client: Client, workflowId: string, operationId: string): Promise<boolean> {
  const describe = client.workflow.getHandle(workflowId);
  const found = await client.withDeadline(Date.now() + TIMEOUT_MS, () => describe.describe()).catch(() => null);
  return found?.typedSearchAttributes.get(OPERATION) === operationId;
}
