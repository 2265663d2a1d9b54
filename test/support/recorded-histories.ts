import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { z } from 'zod';
import { PROJECT_FOLDER } from '../../dev/environment/paths.ts';

/** Where recorded histories are kept. */
export const HISTORIES_FOLDER = join(PROJECT_FOLDER, 'test/histories/recorded');

/** A history that is kept, as Temporal writes it in JSON. */
export interface RecordedHistory {
  /** Type, way of ending, and a mark that tells it from others of the same. */
  name: string;
  workflowId: string;
  history: unknown;
}

const eventSchema = z.object({ eventType: z.string() }).loose();
const historySchema = z.object({ events: z.array(eventSchema) });
const recordSchema = z.object({ workflowId: z.string(), history: historySchema });

/** Reads what is kept, in the order of the names. */
export async function readHistories(): Promise<RecordedHistory[]> {
  const files = (await readdir(HISTORIES_FOLDER)).filter((file) => file.endsWith('.json')).sort();
  return Promise.all(
    files.map(async (file) => {
      const text = await readFile(join(HISTORIES_FOLDER, file), 'utf8');
      return { name: file.slice(0, -'.json'.length), ...recordSchema.parse(JSON.parse(text)) };
    }),
  );
}

/**
 * Adds the histories of a server to what is kept: of all runs that have closed, one for each course that a workflow took.
 * Two runs took the same course when the same kinds of events, activities and failures are in their histories, and the same
 * fields in their inputs. Answers the names.
 */
export async function recordHistories(address: string): Promise<string[]> {
  const connection = await Connection.connect({ address });
  try {
    const { namespaces } = await connection.workflowService.listNamespaces({ pageSize: 1_000 });
    const records = new Map<string, RecordedHistory>();
    for (const { namespaceInfo } of namespaces) {
      const namespace = namespaceInfo?.name;
      if (!namespace || namespace === 'temporal-system') continue;
      const client = new Client({ connection, namespace });
      for await (const { workflowId, runId, type, status } of client.workflow.list()) {
        if (status.name === 'RUNNING') continue;
        const fetched = await client.workflow.getHandle(workflowId, runId).fetchHistory();
        const history = historySchema.parse(JSON.parse(historyToJSON(fetched)));
        const name = `${type}-${status.name.toLowerCase()}-${courseOf(history)}`;
        if (!records.has(name)) records.set(name, { name, workflowId, history });
      }
    }
    await mkdir(HISTORIES_FOLDER, { recursive: true });
    for (const { name, workflowId, history } of records.values()) {
      await writeFile(join(HISTORIES_FOLDER, `${name}.json`), `${JSON.stringify({ workflowId, history })}\n`);
    }
    return [...records.keys()].sort();
  } finally {
    await connection.close();
  }
}

/** A short mark of the kinds of things that happened in a history. */
function courseOf({ events }: z.infer<typeof historySchema>): string {
  const words = new Set(events.map(({ eventType }) => eventType));
  for (const event of events) for (const word of namesIn(event)) words.add(word);
  for (const { data } of inputOf(events[0])) for (const word of fieldsIn(decode(data))) words.add(word);
  return createHash('sha256')
    .update([...words].sort().join(' '))
    .digest('hex')
    .slice(0, 8);
}

/** Names of activities, markers and types of failures, wherever they are in an event. */
function namesIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    if (key === 'activityType' || key === 'workflowType') return [JSON.stringify(inner)];
    if ((key === 'markerName' || key === 'type') && typeof inner === 'string') return [inner];
    return namesIn(inner);
  });
}

const startedSchema = z.object({
  workflowExecutionStartedEventAttributes: z.object({
    input: z.object({ payloads: z.array(z.object({ data: z.string().optional() })).optional() }).optional(),
  }),
});

function inputOf(event: unknown): { data?: string | undefined }[] {
  const { success, data } = startedSchema.safeParse(event);
  return success ? (data.workflowExecutionStartedEventAttributes.input?.payloads ?? []) : [];
}

function decode(data: string | undefined): unknown {
  return data === undefined ? null : JSON.parse(Buffer.from(data, 'base64').toString('utf8'));
}

/** Names of fields, wherever they are in a value. */
function fieldsIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [...(Array.isArray(value) ? [] : [key]), ...fieldsIn(inner)]);
}
