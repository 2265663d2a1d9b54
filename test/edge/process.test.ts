import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { freePort } from '../../dev/environment/ports.ts';
import { Http } from '../../dev/kit/http.ts';
import { until } from '../../dev/kit/until.ts';
import { useFlagFile } from '../support/gateway.ts';
import { runProgram, startProgram } from '../support/program.ts';
import { servedBy, useUpstream } from '../support/recording-upstream.ts';

test('a gateway runs with the flag service of a module, shows operators its metrics, and stops in order', async () => {
  const [legacy, fresh] = await Promise.all([useUpstream('legacy'), useUpstream('new')]);
  const module = join(dirname(await useFlagFile()), 'provider.mjs');
  await writeFile(
    module,
    `export default async () => ({
      metadata: { name: 'our own' },
      resolveBooleanEvaluation: async (flag, otherwise, context) =>
        ({ value: flag === 'reserved_ips.list' && context.targetingKey === 'anonymous' }),
    });`,
  );
  const metricsPort = await freePort();
  const gateway = startProgram('edge/main.ts', [], {
    environment: {
      MYSQL_URL: inject('environment').mysqlUrl,
      LEGACY_URL: legacy.url,
      API_URL: fresh.url,
      EDGE_FLAGS_PROVIDER: module,
      EDGE_PORT: '0',
      EDGE_DRAIN_MS: '0',
      EDGE_SHADOW_PERCENT: '100',
      METRICS_ADDRESS: `127.0.0.1:${metricsPort}`,
    },
  });
  const url = await until('the gateway listens', async () => /"url":"([^"]+)"/.exec(gateway.output)?.[1], 60_000);
  expect(await servedBy(url, '/v2/reserved_ips')).toBe('new');
  expect(await servedBy(url, '/v2/floating_ips')).toBe('legacy');
  expect(await new Http(url, null).get('/readyz')).toMatchObject({ status: 200 });
  // What operators see is not for the public.
  expect(await servedBy(url, '/metrics')).toBe('legacy');
  expect(await servedBy(url, '/shadow/differences')).toBe('legacy');

  const operators = new Http(`http://127.0.0.1:${metricsPort}`, null);
  await until('both reads were compared', async () => {
    const { body } = await operators.get('/shadow/differences');
    return JSON.stringify(body).split('"field":"served_by"').length === 3;
  });
  const { text } = await operators.get('/metrics');
  expect(text).toContain('edge_requests_total{code_path="reserved_ips.list",upstream="new",status="200"} 1');
  expect(text).toContain('edge_request_duration_seconds_count{code_path="floating_ips.list",upstream="legacy"} 1');
  expect(text).toContain('edge_flag_source_usable 1');
  expect(text).toContain('process_cpu_seconds_total');

  gateway.signal('SIGTERM');
  expect(await gateway.ended()).toMatchObject({ code: 0, stderr: '' });
});

test('a gateway does not start without knowing where its flags are, or with a module that brings none', async () => {
  const environment = {
    MYSQL_URL: inject('environment').mysqlUrl,
    LEGACY_URL: 'http://127.0.0.1:1',
    API_URL: 'http://127.0.0.1:1',
    EDGE_PORT: '0',
  };
  const module = join(dirname(await useFlagFile()), 'nothing.mjs');
  await writeFile(module, 'export default () => ({});');
  const [without, wrong] = await Promise.all([
    runProgram('edge/main.ts', [], { environment }),
    runProgram('edge/main.ts', [], { environment: { ...environment, EDGE_FLAGS_PROVIDER: module } }),
  ]);
  expect(without).toMatchObject({ code: 1 });
  expect(without.stderr).toContain('EDGE_FLAGS_FILE: is needed, or EDGE_FLAGS_PROVIDER');
  expect(wrong).toMatchObject({ code: 1 });
  expect(wrong.stderr).toContain('does not make an OpenFeature provider');
});
