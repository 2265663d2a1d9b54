import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { z } from 'zod';
import { readIpv6Address } from '../../dev/kit/account.ts';
import { type Answer, expectAnswer, Http } from '../../dev/kit/http.ts';
import { until } from '../../dev/kit/until.ts';
import { useApp } from '../support/app.ts';
import { Contract, findReferences, type OpenApi, openApiSchema, operationsOf } from '../support/contract.ts';
import { createWorld, type World } from '../support/world.ts';

let document: OpenApi;
let internalDocument: OpenApi;
let world: World;

beforeAll(async () => {
  document = expectAnswer(await new Http(inject('environment').apiUrl, null).get('/openapi.json'), 200, openApiSchema);
  const { apiUrl, adminToken } = inject('environment');
  internalDocument = expectAnswer(await new Http(apiUrl, adminToken).get('/internal/openapi.json'), 200, openApiSchema);
  world = await createWorld({ agents: 1, ipv6PrefixLength: 124 });
});

afterAll(() => world.close());

describe('the documents', () => {
  test.each(['/openapi.json', '/internal/openapi.json'])(
    '%s is one of OpenAPI 3.1 in which every reference leads somewhere',
    (path) => {
      const own = path === '/openapi.json' ? document : internalDocument;
      const references = findReferences(own);
      expect(references.length).toBeGreaterThan(5);
      expect(references.filter(({ resolves }) => !resolves)).toEqual([]);
      expect(new Contract(own).misshapenSchemas()).toEqual([]);
    },
  );

  test('declare each path’s parameters, each security scheme, and no operation id twice', () => {
    for (const own of [document, internalDocument]) expectDeclared(own);
  });

  test('for customers says nothing of what operators and hosts use', () => {
    const paths = operationsOf(document).map(({ path }) => path);
    expect(paths.filter((path) => !/^\/(v2\/|healthz$|readyz$)/.test(path))).toEqual([]);
    expect(JSON.stringify(document)).not.toMatch(/internal|\/host\/|adminToken|hostToken/i);
  });

  test('for operators is shown to operators only', async () => {
    const { apiUrl, adminToken } = inject('environment');
    const account = await world.account();
    const hostToken = await world.registerHost(`${world.region}-reader`);
    for (const token of [null, 'nonsense', account.http.token, hostToken]) {
      expect(await new Http(apiUrl, token).get('/internal/openapi.json')).toMatchObject({ status: 401 });
    }
    expect(await new Http(apiUrl, adminToken).get('/internal/openapi.json')).toMatchObject({ status: 200 });
  });

  function expectDeclared(own: OpenApi) {
    for (const { method, path, operation } of operationsOf(own)) {
      const declared = operation.parameters.filter((parameter) => parameter.in === 'path');
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      expect(declared.map(({ name }) => name).sort(), `${method} ${path}`).toEqual(named.sort());
      expect(declared.every(({ required }) => required === true)).toBe(true);
      expect(Object.keys(operation.responses).length, `${method} ${path}`).toBeGreaterThan(0);
      for (const scheme of operation.security.flatMap(Object.keys)) {
        expect(own.components.securitySchemes).toHaveProperty(scheme);
      }
    }
    const ids = operationsOf(own).flatMap(({ operation }) => operation.operationId ?? []);
    expect(ids.length).toBe(new Set(ids).size);
  }

  test('have every route of the API, and no other, each in one of them', async () => {
    const app = await useApp();

    const routes = app.routes
      .filter(({ method, path }) => method !== 'ALL' && !path.endsWith('/openapi.json'))
      .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`);
    const documented = [document, internalDocument]
      .flatMap(operationsOf)
      .map(({ method, path }) => `${method} ${path}`);
    expect(documented.toSorted()).toEqual([...new Set(routes)].sort());
  });

  test('say of every customer’s route which right it needs', () => {
    for (const { method, path, operation } of operationsOf(document)) {
      if (!path.startsWith('/v2/')) continue;
      expect(operation.security, `${method} ${path}`).toEqual([
        { bearer_auth: [expect.stringMatching(/^[a-z_]+:[a-z]+$/)] },
      ]);
      expect(Object.keys(operation.responses), `${method} ${path}`).toEqual(
        expect.arrayContaining(['401', '403', '429', '500', '503']),
      );
    }
  });
});

describe('what the API answers', () => {
  test('is what the document says, on every route', async () => {
    const contract = new Contract(document);
    const account = await world.account();
    const problems: string[] = [];

    async function send(http: Http, method: string, path: string, body?: unknown): Promise<Answer> {
      const options = typeof body === 'string' ? { rawBody: body } : { body };
      const answer = await http.send(method, path, options);
      problems.push(...contract.problems(method, path, answer));
      return answer;
    }
    const call = (method: string, path: string, body?: unknown) => send(account.http, method, path, body);
    async function actionEnds(answer: Answer): Promise<number> {
      const { action } = expectAnswer(answer, 201, z.object({ action: z.object({ id: z.int() }) }));
      await account.completed(action);
      return action.id;
    }

    const form = { name: 'web', region: world.region, size: 's-1vcpu-1gb', image: 'debian-12-x64', tags: ['a'] };
    const droplets: number[] = [];
    for (const image of ['debian-12-x64', 'ubuntu-24-04-x64', 7_555_620, '99999999999999999999']) {
      const answer = await call('POST', '/v2/droplets', { ...form, image });
      droplets.push(expectAnswer(answer, 202, z.object({ droplet: z.object({ id: z.int() }) })).droplet.id);
    }
    const [droplet = 0, second = 0, third = 0] = droplets;
    const rename = { type: 'rename', name: 'db' };
    const renamed = await actionEnds(await call('POST', `/v2/droplets/${droplet}/actions`, rename));

    for (const [path, one] of [
      ['/v2/reserved_ips', 'reserved_ip'],
      ['/v2/floating_ips', 'floating_ip'],
    ] as const) {
      const reserved = await call('POST', path, { region: world.region });
      const { ip } = z.record(z.string(), z.looseObject({ ip: z.string().optional() })).parse(reserved.body)[one] ?? {};
      expect((await call('POST', path, { droplet_id: second })).status).toBe(202);
      const assigned = await actionEnds(
        await call('POST', `${path}/${ip}/actions`, { type: 'assign', droplet_id: droplet }),
      );
      for (const read of [
        '',
        '?per_page=1',
        `/${ip}`,
        `/${ip}/actions`,
        `/${ip}/actions/${assigned}`,
        `/${ip}/actions/1`,
      ]) {
        await call('GET', `${path}${read}`);
      }
      await actionEnds(await call('POST', `${path}/${ip}/actions`, { type: 'assign', droplet_id: third }));
      await actionEnds(await call('POST', `${path}/${ip}/actions`, { type: 'unassign' }));
      await call('POST', `${path}/${ip}/actions`, { type: 'unassign' });
      await call('POST', `${path}/${ip}/actions`, '{');
      await call('POST', `${path}/${ip}/actions`, { type: 'assign', droplet_id: 1 });
      for (let time = 0; time < 2; time++) await call('DELETE', `${path}/${ip}`);
      for (const body of ['', '{}', '{"region":"nowhere"}', '{"droplet_id":1}', 'x'.repeat(70_000)]) {
        await call('POST', path, body);
      }
      await until('the droplet is free again', async () => {
        const { body } = await account.http.get(path);
        const [held] = z
          .record(z.string(), z.unknown())
          .transform((lists) => lists[`${one}s`])
          .pipe(z.array(z.object({ ip: z.string(), locked: z.boolean() })))
          .parse(body);
        if (!held || held.locked) return false;
        return (await call('DELETE', `${path}/${held.ip}`)).status === 204;
      });
    }

    const ipv6Path = '/v2/reserved_ipv6';
    const ipv6 = readIpv6Address(await call('POST', ipv6Path, { region_slug: world.region }));
    const assignIpv6 = { type: 'assign', droplet_id: droplet };
    await actionEnds(await call('POST', `${ipv6Path}/${ipv6}/actions`, assignIpv6));
    for (const read of ['', '?per_page=1', '?page=0', `/${ipv6}`, '/2001:db8::1'])
      await call('GET', `${ipv6Path}${read}`);
    await call('GET', `/v2/droplets/${droplet}`);
    await call('POST', `${ipv6Path}/${ipv6}/actions`, assignIpv6);
    expect((await call('DELETE', `${ipv6Path}/${ipv6}`)).status).toBe(400);
    await actionEnds(await call('POST', `${ipv6Path}/${ipv6}/actions`, { type: 'unassign' }));
    for (let time = 0; time < 2; time++) await call('DELETE', `${ipv6Path}/${ipv6}`);
    for (const body of ['', '{}', '{"region_slug":"nowhere"}']) await call('POST', ipv6Path, body);

    for (const path of [
      ...[
        '/v2/account',
        '/v2/actions',
        '/v2/actions?per_page=2&page=2',
        '/v2/actions?page=0',
        `/v2/actions/${renamed}`,
      ],
      ...['/v2/actions/1', '/v2/droplets', '/v2/droplets?per_page=1', '/v2/droplets?name=web', '/v2/droplets?page=x'],
      ...[`/v2/droplets/${droplet}`, `/v2/droplets/${droplet}/actions`, `/v2/droplets/${droplet}/actions/${renamed}`],
      ...[`/v2/droplets/${droplet}/actions/1`, '/v2/droplets/1', '/v2/droplets/1/actions', '/healthz', '/readyz'],
    ]) {
      await call('GET', path);
    }
    for (const body of ['', '{}', JSON.stringify({ ...form, region: 'nowhere' })])
      await call('POST', '/v2/droplets', body);
    await call('POST', `/v2/droplets/${droplet}/actions`, { type: 'reboot' });
    for (let time = 0; time < 2; time++) await call('DELETE', `/v2/droplets/${droplet}`);

    const token = (options: Record<string, unknown>) => world.token(account.id, options);
    const poor = new Http(world.admin.baseUrl, await token({ scopes: ['nothing:read'] }));
    const hasty = new Http(world.admin.baseUrl, await token({ requests_per_minute: 1 }));
    await hasty.get('/v2/account');
    for (const { method, path } of operationsOf(document)) {
      if (!path.startsWith('/v2/')) continue;
      const url = path.replaceAll(/\{\w+\}/g, '1');
      expect((await send(new Http(world.admin.baseUrl, null), method, url)).status).toBe(401);
      expect((await send(poor, method, url)).status).toBe(403);
      expect((await send(hasty, method, url)).status).toBe(429);
    }

    expect(problems).toEqual([]);
    for (const { method, path, operation } of operationsOf(document)) {
      if (path.startsWith('/internal/') || path.startsWith('/host/')) continue;
      const success = Object.keys(operation.responses).find((status) => status.startsWith('2'));
      expect([...contract.seen], 'every success was seen').toContain(`${method} ${path} ${success}`);
    }
  });

  test.each<[string, Record<string, unknown>[]]>([
    [
      '/v2/reserved_ips',
      [
        {},
        { region: null },
        { region: '' },
        { region: 'NYC3' },
        { region: 3 },
        { droplet_id: null },
        { droplet_id: 0 },
        { droplet_id: 1.5 },
        { droplet_id: '1' },
        { droplet_id: 1 },
        { droplet_id: 1, region: null },
        { droplet_id: 1, project_id: null },
        { droplet_id: 1, project_id: 'mine' },
        { droplet_id: 1, anything: {} },
      ],
    ],
    [
      '/v2/droplets',
      [
        {},
        { name: 'a', size: 's-1vcpu-1gb', image: 'x', region: 'NYC3' },
        { name: 'a b', size: 's-1vcpu-1gb', image: 'x', region: 'nyc3' },
        { name: 'a', size: 's-0vcpu', image: 'x', region: 'nyc3' },
        { name: 'a', size: 's-1vcpu-1gb', image: 0, region: 'nyc3' },
        { name: 'a', size: 's-1vcpu-1gb', image: null, region: 'nyc3' },
        { name: 'a', size: 's-1vcpu-1gb', image: 'x', region: 'nyc3', tags: 'a' },
        { name: 'a', size: 's-1vcpu-1gb', region: 'nyc3' },
      ],
    ],
    [
      '/v2/droplets/1/actions',
      [{}, { type: 'rename' }, { type: 'reboot' }, { type: 'rename', name: '' }, { type: 'rename', name: 'a' }],
    ],
    ['/v2/reserved_ipv6/2001:db8::1/actions', [{}, { type: 'assign' }, { type: 'unassign' }, { type: 'move' }]],
    [
      '/v2/reserved_ips/192.0.2.1/actions',
      [
        {},
        { type: 'assign' },
        { type: 'assign', droplet_id: '1' },
        { type: 'assign', droplet_id: 1 },
        { type: 'unassign' },
        { type: 'move' },
      ],
    ],
  ])('to a body of POST %s is 422 exactly when the document does not allow it', async (path, bodies) => {
    const contract = new Contract(document);
    const account = await world.account();
    for (const body of bodies) {
      const { status, text } = await account.http.post(path, body);
      // Nothing that these bodies name is there, so an allowed one goes as far as that.
      expect(status, `${JSON.stringify(body)}: ${text}`).toBe(contract.allowsBody('POST', path, body) ? 404 : 422);
    }
  });
});
