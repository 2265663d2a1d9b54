import { randomBytes } from 'node:crypto';
import { WorkflowNotFoundError } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { z } from 'zod';
import { createReservedIpClient } from '../../client/index.ts';
import { until } from '../../dev/kit/until.ts';
import { parseTemporalSettings } from '../../platform/config/servers.ts';
import { openTemporalClient } from '../../platform/temporal/connection.ts';
import { createPrivateEnvironment, type PrivateEnvironment } from '../support/private-environment.ts';
import { useCustomer, useReserved } from '../support/reserved.ts';

const newKey = () => randomBytes(32).toString('base64');
const OLD = `2026-05:${newKey()}`;
const NEW = `2026-11:${newKey()}`;

let environment: PrivateEnvironment;

beforeAll(async () => {
  environment = await createPrivateEnvironment({ settings: { TEMPORAL_CODEC_KEYS: OLD } });
  return environment.close;
});

/** A client in the environment's namespace, with keys of its own or none. */
function clientWith(codecKeys: string) {
  return openTemporalClient(
    parseTemporalSettings({
      TEMPORAL_ADDRESS: inject('environment').temporalAddress,
      TEMPORAL_NAMESPACE: environment.namespace,
      TEMPORAL_CODEC_KEYS: codecKeys,
    }),
  );
}

describe('with the payload codec', () => {
  test('nothing that an operation is given, does or answers can be read in its history', async () => {
    const worker = await environment.startWorker();
    const { world, account } = await useCustomer({ apiUrl: environment.apiUrl, agents: 0, manualHosts: 1 });
    const [dropletId = 0] = await world.droplets(account, 1);
    const ip = await account.reserve(world.region);
    const action = await account.startAssign(ip, dropletId);
    await world.manualHosts[0]?.confirm(ip, 'attach');
    await account.completed(action);
    const rejected = await account.startUnassign(ip);
    for (let attempt = 0; attempt < 5; attempt++) {
      const event = await world.manualHosts[0]?.command(ip, 'detach', attempt);
      if (event) await world.manualHosts[0]?.acknowledge(event, 'failed', 'no such device');
      if ((await account.action(rejected.id)).status === 'errored') break;
    }

    const payloads = await payloadsOf(`reserved-ip/${ip}`);

    expect(payloads.length).toBeGreaterThan(5);
    expect(new Set(payloads.map(({ encoding }) => encoding))).toEqual(new Set(['binary/encrypted']));
    expect(payloads.map(({ data }) => data).join()).not.toMatch(/accountId|dropletId|operation|attach/);
    await worker.stop();
  });

  test('an operation that was begun under the old key is carried through by workers with a new one', async () => {
    const before = await environment.startWorker();
    const { world, account } = await useCustomer({ apiUrl: environment.apiUrl, agents: 0, manualHosts: 1 });
    const [dropletId = 0] = await world.droplets(account, 1);
    const ip = await account.reserve(world.region);
    const action = await account.startAssign(ip, dropletId);
    await world.manualHosts[0]?.command(ip, 'attach');
    await before.stop();
    const after = await environment.startWorker({ settings: { TEMPORAL_CODEC_KEYS: `${NEW},${OLD}` } });

    await world.manualHosts[0]?.confirm(ip, 'attach');

    await account.completed(action);
    const keys = new Set((await payloadsOf(`reserved-ip/${ip}`)).map(({ keyId }) => keyId));
    expect(keys).toEqual(new Set(['2026-05', '2026-11']));
    await after.stop();
  });

  test('whoever lacks the key is told which one', async () => {
    const worker = await environment.startWorker();
    const { account, ip } = await useReserved({ apiUrl: environment.apiUrl, agents: 1, droplets: 0 });
    await account.release(ip);
    // Its workflow has been started, and has closed, once there is something to read.
    await payloadsOf(`reserved-ip/${ip}`);
    const stranger = clientWith(NEW);
    const result = stranger.workflow.getHandle(`reserved-ip/${ip}`).result();
    await expect(result).rejects.toThrow('the key "2026-05" cannot be read');
    await stranger.connection.close();
    await worker.stop();
  });

  test('it is turned on while operations are open: first everybody can read, then the keys write', async () => {
    const { world, account } = await useCustomer({ apiUrl: environment.apiUrl, agents: 0, manualHosts: 1 });
    const [dropletId = 0] = await world.droplets(account, 1);
    const prepared = clientWith(`plain,${OLD}`);
    const before = await environment.startWorker({ settings: { TEMPORAL_CODEC_KEYS: `plain,${OLD}` } });
    const service = createReservedIpClient({ temporal: prepared });
    const target = { region: world.region, dropletId: null };
    const { decision } = await service.reserve({ accountId: account.id, target });
    if (decision.kind === 'refused') throw new Error(decision.refusal);
    const assigned = await service.assign({ accountId: account.id, address: decision.address, dropletId });
    await before.stop();
    const after = await environment.startWorker();

    await world.manualHosts[0]?.confirm(decision.address, 'attach');

    expect(await assigned.completed()).toMatchObject({ kind: 'completed' });
    const encodings = (await payloadsOf(`reserved-ip/${decision.address}`)).map(({ encoding }) => encoding);
    expect(encodings).toEqual(expect.arrayContaining(['json/plain', 'binary/encrypted']));
    await prepared.connection.close();
    await after.stop();
  });
});

const payloadSchema = z.object({ metadata: z.looseObject({ encoding: z.string() }), data: z.string().optional() });

/** Every payload in the newest history of a workflow, as somebody without keys sees it. */
async function payloadsOf(workflowId: string): Promise<{ encoding: string; keyId: string; data: string }[]> {
  const { workflow, connection } = clientWith('');
  try {
    const history = await until(`${workflowId} had closed`, async () => {
      const handle = workflow.getHandle(workflowId);
      // It is started after the request was answered.
      const described = await handle.describe().catch((error: unknown) => {
        if (error instanceof WorkflowNotFoundError) return null;
        throw error;
      });
      return described?.closeTime ? handle.fetchHistory() : null;
    });
    return collect(JSON.parse(historyToJSON(history)));
  } finally {
    await connection.close();
  }
}

function collect(value: unknown): { encoding: string; keyId: string; data: string }[] {
  if (typeof value !== 'object' || value === null) return [];
  const payload = payloadSchema.safeParse(value);
  if (!payload.success) {
    // Search attributes are for the server to search, so they are never encrypted.
    return Object.entries(value).flatMap(([name, inner]) => (name === 'searchAttributes' ? [] : collect(inner)));
  }
  const { metadata, data = '' } = payload.data;
  const text = (base64: unknown) => Buffer.from(String(base64 ?? ''), 'base64').toString('latin1');
  const read = { encoding: text(metadata.encoding), keyId: text(metadata['encryption-key-id']), data: text(data) };
  return isBookkeeping(read) ? [] : [read];
}

/** What the SDK notes about a local activity: its name and its times, and nothing that it was given. */
function isBookkeeping({ encoding, data }: { encoding: string; data: string }): boolean {
  if (encoding !== 'json/plain') return false;
  const note = z.strictObject({
    seq: z.int(),
    attempt: z.int(),
    activity_id: z.string(),
    activity_type: z.string(),
    complete_time: z.unknown(),
    backoff: z.null(),
    original_schedule_time: z.unknown(),
  });
  const value: unknown = JSON.parse(data);
  return note.safeParse(value).success;
}
