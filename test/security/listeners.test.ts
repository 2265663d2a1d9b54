import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, inject, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { parseApiConfiguration } from '../../api/settings.ts';
import { PROJECT_FOLDER } from '../../dev/environment/paths.ts';
import { Http } from '../../dev/kit/http.ts';
import { ManualHost } from '../../dev/kit/manual-host.ts';
import { until } from '../../dev/kit/until.ts';
import { ConfigurationError } from '../../platform/config/settings.ts';
import { startAgentProcess, startApiProcess } from '../support/processes.ts';
import { runProgram } from '../support/program.ts';
import { ask } from '../support/raw-http.ts';
import { useWorld } from '../support/world.ts';

const logLine = z.object({ msg: z.literal('listening'), url: z.url(), audiences: z.tuple([z.string()]) });

/** An API process with an address for each audience. */
async function startSplitApi() {
  const { program, url } = await startApiProcess({
    INTERNAL_PORT: '0',
    HOST_API_HOST: '127.0.0.2',
    HOST_API_PORT: '0',
  });
  const urls = await until('all three listen', async () => {
    const lines = program.output.split('\n').filter((line) => line.includes('"msg":"listening"'));
    return lines.length === 3 && lines.map((line) => logLine.parse(JSON.parse(line)));
  });
  const urlOf = (audience: string) => urls.find(({ audiences }) => audiences[0] === audience)?.url ?? '';
  return { program, url, customers: urlOf('customers'), operators: urlOf('operators'), hosts: urlOf('hosts') };
}

describe('an API whose operators and hosts have addresses of their own', () => {
  test('serves each audience on its address, and is not there for it on the others', async () => {
    const [api, world] = await Promise.all([startSplitApi(), useWorld({ agents: 0 })]);
    expect(api.url).toBe(api.customers);
    expect(new URL(api.hosts).hostname).toBe('127.0.0.2');
    const account = await world.account();
    const hostToken = await world.registerHost(`${world.region}-split`);
    const { adminToken } = inject('environment');
    for (const [path, token, audience] of [
      ['/v2/account', account.http.token, 'customers'],
      ['/internal/v1/accounts', adminToken, 'operators'],
      ['/host/v1/desired-state', hostToken, 'hosts'],
    ] as const) {
      for (const other of ['customers', 'operators', 'hosts'] as const) {
        const { status, body } = await new Http(api[other], token).get(path);
        expect(status, `${path} for ${other}`).toBe(other === audience ? 200 : 404);
        if (other !== audience) expect(body).toMatchObject({ id: 'not_found' });
      }
    }
    for (const other of ['customers', 'operators', 'hosts'] as const) {
      const http = new Http(api[other], null);
      expect((await http.get('/healthz')).status).toBe(200);
      expect((await http.get('/readyz')).status).toBe(200);
      const answer = await ask(api[other], { target: '/internal/v1/accounts', host: '1/host?' });
      expect(answer.status).toBe(400);
    }
    // What customers are told of the API names nothing that is not for them.
    const { text } = await new Http(api.customers, null).get('/openapi.json');
    expect(text).not.toMatch(/\/internal\/|\/host\//);
  });

  test('is found there by the command line and the agent', async () => {
    const [api, world] = await Promise.all([startSplitApi(), useWorld({ agents: 0 })]);
    const { adminToken: ADMIN_TOKEN } = inject('environment');
    const environment = { API_URL: api.customers, INTERNAL_URL: api.operators, ADMIN_TOKEN };
    const listed = await runProgram('ops/admin/main.ts', ['region', 'list'], { environment });
    expect(listed).toMatchObject({ code: 0, stderr: '' });
    expect(listed.stdout).toContain(world.region);
    const wrong = await runProgram('ops/admin/main.ts', ['region', 'list'], {
      environment: { API_URL: api.customers, ADMIN_TOKEN },
    });
    expect(wrong.code).toBe(1);

    const name = `${world.region}-agent`;
    const token = await world.registerHost(name);
    const agent = startAgentProcess({ name, token, apiUrl: api.customers }, [], { HOST_API_URL: api.hosts });
    await agent.printed('comparing with the desired state', 30_000);
    agent.signal('SIGTERM');
  });

  test('drains all its addresses when it is asked to stop', async () => {
    const [api, world] = await Promise.all([startSplitApi(), useWorld({ agents: 0 })]);
    const host = new ManualHost('idle', api.hosts, await world.registerHost(`${world.region}-idle`));
    await until('the API is ready', async () => (await new Http(api.customers, null).get('/readyz')).status === 200);
    const polling = host.http.get('/host/v1/events?after=0&wait=30');
    const operators = new Http(api.operators, inject('environment').adminToken);
    expect((await operators.get('/internal/v1/pools')).status).toBe(200);
    api.program.signal('SIGTERM');
    for (const url of [api.customers, api.operators, api.hosts]) {
      await until(`${url} says that it stops`, async () => {
        const { status, body } = await new Http(url, null).get('/readyz');
        return status === 503 && Object(body).status === 'stopping';
      });
    }
    expect(await polling).toMatchObject({ status: 200, body: { events: [] } });
    expect(await api.program.ended()).toMatchObject({ code: 0 });
  });

  test('is not started with an address that has no port', () => {
    const environment = {
      MYSQL_URL: 'mysql://a:b@c/d',
      TEMPORAL_ADDRESS: 'a:1',
      KAFKA_BROKERS: 'a:1',
      ADMIN_TOKEN: 'x'.repeat(16),
    };
    for (const name of ['INTERNAL', 'HOST_API']) {
      const parsing = () => parseApiConfiguration({ ...environment, [`${name}_HOST`]: '10.0.0.1' });
      expect(parsing).toThrow(ConfigurationError);
      expect(parsing).toThrow(`${name}_PORT: is needed with ${name}_HOST`);
    }
    expect(parseApiConfiguration(environment)).not.toHaveProperty('INTERNAL_PORT');
  });
});

test('Compose and the image serve operators and hosts off the public port', async () => {
  const compose = z
    .object({
      services: z.object({
        api: z.object({
          environment: z.record(z.string(), z.union([z.string(), z.number()])),
          ports: z.array(z.string()),
        }),
      }),
    })
    .parse(parse(await readFile(join(PROJECT_FOLDER, 'docker-compose.yml'), 'utf8'), { merge: true }));
  const { environment, ports } = compose.services.api;
  const { API_PORT, INTERNAL_PORT, HOST_API_PORT } = environment;
  expect(new Set([API_PORT, INTERNAL_PORT, HOST_API_PORT, undefined]).size).toBe(4);
  expect(ports.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([]);
  const image = await readFile(join(PROJECT_FOLDER, 'Dockerfile'), 'utf8');
  expect(image).toMatch(/^ENV .*INTERNAL_PORT=8081 .*HOST_API_PORT=8082/m);
  expect(image.match(/^EXPOSE .*$/gm)).toEqual(['EXPOSE 8080']);
});

test('no process serves HTTP but by the one server that checks what requests name', async () => {
  const folders = [
    'api',
    'billing',
    'dev/legacy',
    'dev/environment',
    'edge',
    'host',
    'ops',
    'outbox',
    'platform/temporal',
    'workers',
  ];
  const files = (
    await Promise.all(folders.map((folder) => readdir(join(PROJECT_FOLDER, folder), { recursive: true })))
  ).flatMap((names, at) =>
    names.filter((name) => /(?<!\.test)\.ts$/.test(name)).map((name) => join(folders[at] ?? '', name)),
  );
  expect(files.length).toBeGreaterThan(100);
  for (const file of files) {
    const source = await readFile(join(PROJECT_FOLDER, file), 'utf8');
    expect(source, file).not.toMatch(
      /\bserve\(|createAdaptorServer|getRequestListener|createServer\b.*from 'node:https?'/,
    );
  }
});
