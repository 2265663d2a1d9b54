import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { ApiWarmUp } from '../../api/warm-up.ts';
import { Http } from '../../dev/kit/http.ts';
import { until } from '../../dev/kit/until.ts';
import { listBuilds } from '../../ops/deploy/deployment.ts';
import { useApp } from '../support/app.ts';
import { useDatabase } from '../support/database.ts';
import { useLink } from '../support/link.ts';
import { operationRules } from '../support/operation-rules.ts';
import { createPrivateEnvironment, type PrivateEnvironment } from '../support/private-environment.ts';
import { startApiProcess, startWorkerProcess } from '../support/processes.ts';

/** A database and a namespace of their own, so that whatever is in them was left by the processes of these tests. */
let own: PrivateEnvironment;
beforeAll(async () => {
  own = await createPrivateEnvironment({ ownDatabase: true });
});
afterAll(() => own?.close());

function onOwn(settings: Record<string, string> = {}): Record<string, string> {
  return { MYSQL_URL: own.mysqlUrl, TEMPORAL_NAMESPACE: own.namespace, ...settings };
}

interface Readiness {
  status: number;
  state: unknown;
}

async function readiness(url: string): Promise<Readiness> {
  const { status, body } = await new Http(url, null).get('/readyz');
  return { status, state: typeof body === 'object' && body !== null && 'status' in body ? body.status : null };
}

/** Asks until it is ready; answers what it said on the way, and how long that took, in milliseconds. */
async function untilReady(url: string): Promise<{ said: Set<unknown>; milliseconds: number }> {
  const begin = performance.now();
  const said = new Set<unknown>();
  await until(`${url} is ready`, async () => {
    const { status, state } = await readiness(url);
    said.add(state);
    return status === 200;
  });
  return { said, milliseconds: performance.now() - begin };
}

describe('an API that has just started', () => {
  test('is warming, then ready, and has written nothing', async () => {
    const { url, program } = await startApiProcess(onOwn({ EMBEDDED_WORKER: 'true' }));

    const { said } = await untilReady(url);

    expect(said).toContain('warming');
    expect([...said].at(-1)).toBe('ok');
    expect(program.output, 'by then its worker has run').toMatch(/"msg":"warm"/);
    const db = useDatabase({ url: own.mysqlUrl });
    for (const table of ['operations', 'actions', 'addresses', 'host_events', 'outbox', 'audit_log']) {
      const { rows } = await sql<{ count: number }>`SELECT COUNT(*) AS count FROM ${sql.table(table)}`.execute(db);
      expect(Number(rows[0]?.count), table).toBe(0);
    }
  });

  test('is ready without a worker inside too', async () => {
    const { url } = await startApiProcess(onOwn({ EMBEDDED_WORKER: 'false' }));
    expect((await untilReady(url)).said).toContain('ok');
  });

  test('does not wait for a Kafka that rejects it', async () => {
    const { url } = await startApiProcess(onOwn({ EMBEDDED_WORKER: 'true', KAFKA_BROKERS: '127.0.0.1:1' }));
    expect((await untilReady(url)).milliseconds).toBeLessThan(10_000);
  });

  test('does not wait longer than it may for a Kafka that keeps silent', async () => {
    const kafka = await useLink(inject('environment').kafkaBrokers);
    kafka.become('silent');
    const settings = { EMBEDDED_WORKER: 'true', KAFKA_BROKERS: kafka.address, WARM_UP_TIMEOUT_MS: '1500' };
    const { url } = await startApiProcess(onOwn(settings));
    const { said, milliseconds } = await untilReady(url);
    expect(said).toContain('warming');
    expect([...said].at(-1)).toBe('ok');
    expect(milliseconds).toBeLessThan(5_000);
  });

  test('is degraded, and never warming, while Temporal is away, and does not become unready when it is back', async () => {
    const temporal = await useLink(inject('environment').temporalAddress);
    temporal.become('refusing');
    const { url, program } = await startApiProcess(
      onOwn({ EMBEDDED_WORKER: 'true', TEMPORAL_ADDRESS: temporal.address }),
    );
    const { said: saidFirst } = await untilReady(url);
    expect(saidFirst).toContain('degraded');
    expect(saidFirst).not.toContain('warming');

    temporal.become('open');

    const said = new Set<unknown>();
    await until('its worker is warm', async () => {
      said.add((await readiness(url)).state);
      return program.output.includes('"msg":"warm"');
    });
    await until('it says that it is well', async () => (await readiness(url)).state === 'ok');
    expect(said).not.toContain('warming');
  });

  test('is not warming when it is told not to', async () => {
    const { url } = await startApiProcess(onOwn({ EMBEDDED_WORKER: 'true', WARM_UP_TIMEOUT_MS: '0' }));
    expect((await untilReady(url)).said).not.toContain('warming');
  });
});

test('a warm-up ends by its time at the latest, and once for good', async () => {
  const db = useDatabase();
  const warmUp = new ApiWarmUp();
  const logger = { warn: () => {} };
  expect(warmUp.isRunning).toBe(false);
  const worker = Promise.withResolvers<void>();
  const app = await useApp({ warmUp });
  expect((await app.request('/readyz')).status).toBe(200);
  warmUp.begin({ db, rules: operationRules(1), logger, worker: worker.promise, timeoutMs: 2_000 });
  expect((await app.request('/readyz')).status).toBe(503);
  await until('its time is over', async () => (await app.request('/readyz')).status === 200);
  worker.resolve();
  expect((await app.request('/readyz')).status).toBe(200);
});

describe('a worker that has just started', () => {
  test('says so when it is warm', async () => {
    const { output } = await startWorkerProcess(onOwn());
    expect(output.indexOf('"msg":"warm"')).toBeGreaterThan(-1);
    expect(output.indexOf('"msg":"warm"')).toBeLessThan(output.indexOf('worker started'));
  });

  test('is warm before its build is the current one', async () => {
    await startWorkerProcess(onOwn({ WORKER_BUILD_ID: 'first' }));
    const { output } = await startWorkerProcess(onOwn({ WORKER_BUILD_ID: 'second' }));
    const [, milliseconds] = /"milliseconds":(\d+),"msg":"warm"/.exec(output) ?? [];
    expect(milliseconds, output).toBeDefined();
    console.log(`a build that is not current: warm after ${milliseconds} ms`);
    const builds = await listBuilds(own.temporal);
    expect(builds.map(({ id }) => id).sort()).toEqual(['first', 'second']);
    expect(builds.map(({ state }) => state)).not.toContain('current');
  });
});
