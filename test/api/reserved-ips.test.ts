import { describe, expect, inject, test } from 'vitest';
import { z } from 'zod';
import { readAction, readReserved } from '../../dev/kit/account.ts';
import { expectAnswer } from '../../dev/kit/http.ts';
import { expectedAction, expectedAddress, expectedDroplet, expectedError, resourceIdOf } from '../support/expected.ts';
import { useCustomer, useReserved } from '../support/reserved.ts';
import { FUTURE } from '../support/world.ts';

const reservedForDroplet = z
  .object({ links: z.object({ actions: z.tuple([z.object({ id: z.int() })]) }) })
  .transform(({ links }) => ({ actionId: links.actions[0].id }));

const RESOURCES = [
  { path: '/v2/reserved_ips', one: 'reserved_ip', many: 'reserved_ips', noun: 'reserved IP' },
  { path: '/v2/floating_ips', one: 'floating_ip', many: 'floating_ips', noun: 'floating IP' },
];

describe.each(RESOURCES)('$path', ({ path, one, many, noun }) => {
  test('lists the addresses of the account', async () => {
    const { world, account } = await useCustomer({ agents: 0 });

    expect(await account.http.get(path)).toMatchObject({ status: 200, body: { meta: { total: 0 } } });
    expect((await account.http.get(path)).body).toEqual({ [many]: [], links: {}, meta: { total: 0 } });

    const ips = [await account.reserve(world.region), await account.reserve(world.region)];
    expect((await account.http.get(path)).body).toEqual({
      [many]: ips.map((ip) => expectedAddress(ip, world.region)),
      links: {},
      meta: { total: 2 },
    });
  });

  test('reserves in a region: 202 with the address and empty links', async () => {
    const { world, account } = await useCustomer({ agents: 0 });

    const answer = await account.http.post(path, { region: world.region });

    expect(answer.status).toBe(202);
    expect(answer.body).toEqual({
      [one]: expectedAddress(expect.stringMatching(/^100\.\d+\.\d+\.\d+$/), world.region),
      links: {},
    });
  });

  test('reserves for a droplet: 202 with the locked address and links to the droplet and the action', async () => {
    const { world, account, droplet } = await useCustomer({ agents: 1, droplets: 1 });
    const { apiUrl } = inject('environment');

    const answer = await account.http.post(path, { droplet_id: droplet });

    const { actionId } = expectAnswer(answer, 202, reservedForDroplet);
    expect(answer.body).toEqual({
      [one]: expectedAddress(expect.any(String), world.region, { locked: true }),
      links: {
        droplets: [{ id: droplet, rel: 'droplet', href: `${apiUrl}/v2/droplets/${droplet}` }],
        actions: [{ id: actionId, rel: 'assign_ip', href: `${apiUrl}/v2/actions/${actionId}` }],
      },
    });
    await account.completed({ id: actionId });
  });

  test('shows an address alone, and with the whole droplet that it is assigned to', async () => {
    const { world, account, droplet, ip } = await useReserved({ agents: 1 });
    expect(await account.http.get(`${path}/${ip}`)).toMatchObject({
      status: 200,
      body: { [one]: { ip, droplet: null, locked: false } },
    });

    await account.assign(ip, droplet);

    const answer = await account.http.get(`${path}/${ip}`);
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      [one]: expectedAddress(ip, world.region, { droplet: expectedDroplet(droplet, world.region, { reservedIp: ip }) }),
    });
    expect((await account.http.get(path)).body).toMatchObject({ [many]: [{ ip, droplet: { id: droplet } }] });
  });

  test('assigns and unassigns: 201 with the action, which is the same wherever it is read', async () => {
    const { world, account, droplet, ip } = await useReserved({ agents: 1 });

    for (const body of [{ type: 'assign', droplet_id: droplet }, { type: 'unassign' }]) {
      const subject = { type: `${body.type}_ip`, resource_type: one, resource_id: resourceIdOf(ip) };
      const answer = await account.http.post(`${path}/${ip}/actions`, body);

      expect(answer.status).toBe(201);
      expect(answer.body).toEqual({
        action: expectedAction(subject, world.region, { status: 'in-progress', completed_at: null }),
      });
      const { id } = readAction(answer);
      expect(id, 'ids pass what fits into 31 bits').toBeGreaterThan(2 ** 31);
      await account.completed({ id });
      for (const where of [`${path}/${ip}/actions/${id}`, `/v2/actions/${id}`]) {
        const shown = await account.http.get(where);
        expect(shown.status, where).toBe(200);
        expect(shown.body, where).toEqual({ action: expectedAction(subject, world.region, { id }) });
      }
    }
  });

  test('lists the actions of an address, the newest first', async () => {
    const { world, account, droplet, ip } = await useReserved({ agents: 1 });
    await account.assign(ip, droplet);
    await account.unassign(ip);

    const answer = await account.http.get(`${path}/${ip}/actions`);

    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      actions: ['unassign_ip', 'assign_ip', 'reserve_ip'].map((type) =>
        expectedAction({ type, resource_type: one, resource_id: resourceIdOf(ip) }, world.region),
      ),
      links: {},
      meta: { total: 3 },
    });
  });

  test('releases: 204 without a body', async () => {
    const { account, ip } = await useReserved({ agents: 0, droplets: 0 });

    const answer = await account.http.delete(`${path}/${ip}`);

    expect(answer).toMatchObject({ status: 204, text: '' });
    expect(answer.headers.get('content-type')).toBeNull();
    expect(answer.headers.get('x-request-id')).toMatch(/./);
    expect(await account.http.get(`${path}/${ip}`)).toMatchObject({ status: 404 });
  });

  test('says in a rejection what the address is called here', async () => {
    const { world, account, droplet } = await useCustomer({ agents: 1, reservedIpLimit: 2, droplets: 1 });
    const [assigned, idle] = [await account.reserve(world.region), await account.reserve(world.region)];
    await account.assign(assigned, droplet);
    const rejections = [
      await account.http.post(path, { region: world.region }),
      await account.http.post(`${path}/${idle}/actions`, { type: 'unassign' }),
      await account.http.post(`${path}/${idle}/actions`, { type: 'assign', droplet_id: droplet }),
      await account.http.post(`${path}/${assigned}/actions`, { type: 'assign', droplet_id: droplet }),
    ];

    for (const answer of rejections) {
      expect(answer.status).toBe(422);
      expect(answer.body).toEqual(expectedError('unprocessable_entity', expect.stringContaining(noun), answer.headers));
    }
  });

  test('keeps the project that a request names; otherwise it is the account’s own', async () => {
    const { world, account } = await useCustomer({ agents: 0 });
    const schema = z.object({ account: z.object({ uuid: z.uuid() }) });
    const { uuid } = expectAnswer(await account.http.get('/v2/account'), 200, schema).account;
    const project = '4e1bfbc3-dc3e-41f2-a18f-1b4d7ba71679';

    expect(await account.http.post(path, { region: world.region, project_id: project })).toMatchObject({
      status: 202,
      body: { [one]: { project_id: project } },
    });
    expect(await account.http.post(path, { region: world.region })).toMatchObject({
      status: 202,
      body: { [one]: { project_id: uuid } },
    });
  });
});

describe('reserved and floating IPs', () => {
  test('are one store: what is done under one name is seen under the other', async () => {
    const { world, account, droplet } = await useCustomer({ agents: 1, droplets: 1 });
    const reserved = await account.http.post('/v2/floating_ips', { region: world.region });
    const { ip } = expectAnswer(reserved, 202, z.object({ floating_ip: z.object({ ip: z.string() }) })).floating_ip;

    expect(await account.show(ip)).toMatchObject({ ip, droplet: null });
    await account.assign(ip, droplet);
    expect(await account.http.get(`/v2/floating_ips/${ip}`)).toMatchObject({
      body: { floating_ip: { droplet: { id: droplet } } },
    });
    await account.completed(
      readAction(await account.http.post(`/v2/floating_ips/${ip}/actions`, { type: 'unassign' })),
    );
    expect(await account.show(ip)).toMatchObject({ droplet: null });
    await account.release(ip);
    expect(await account.http.get('/v2/floating_ips')).toMatchObject({ body: { meta: { total: 0 } } });
  });

  test('differ in the resource type of an action: that of the path below an address, that of its making elsewhere', async () => {
    const { account, droplet, ip } = await useReserved({ agents: 1 });
    const { id } = readAction(
      await account.http.post(`/v2/floating_ips/${ip}/actions`, { type: 'assign', droplet_id: droplet }),
    );
    await account.completed({ id });

    for (const [path, type] of [
      [`/v2/floating_ips/${ip}/actions/${id}`, 'floating_ip'],
      [`/v2/reserved_ips/${ip}/actions/${id}`, 'reserved_ip'],
      [`/v2/actions/${id}`, 'floating_ip'],
      [`/v2/droplets/${droplet}/actions/${id}`, 'floating_ip'],
    ] as const) {
      expect((await account.http.get(path)).body, path).toMatchObject({ action: { id, resource_type: type } });
    }
    for (const [path, types] of [
      [`/v2/floating_ips/${ip}/actions`, ['floating_ip', 'floating_ip']],
      [`/v2/reserved_ips/${ip}/actions`, ['reserved_ip', 'reserved_ip']],
      ['/v2/actions?per_page=2', ['floating_ip', 'reserved_ip']],
    ] as const) {
      expect(await account.http.get(path), path).toMatchObject({
        body: { actions: types.map((type) => ({ resource_type: type })) },
      });
    }
  });
});

describe('an address above 128.0.0.0', () => {
  test('has an unsigned number as the resource_id of its actions', async () => {
    // No agent attaches an address of the range that no other test has.
    const { world, account, droplet } = await useCustomer({ agents: 0, manualHosts: 1, prefixLength: 32, droplets: 1 });
    await account.reserve(world.region);
    await world.importPool(FUTURE, 32);

    const { ip, actionId } = readReserved(await account.http.post('/v2/reserved_ips', { droplet_id: droplet }));

    expect(Number.parseInt(ip, 10)).toBeGreaterThan(127);
    await world.manualHosts[0]?.confirm(ip, 'attach');
    expect(await account.completed({ id: actionId })).toMatchObject({ resource_id: resourceIdOf(ip) });
    expect(resourceIdOf(ip)).toBeGreaterThan(2 ** 31);
  });
});
