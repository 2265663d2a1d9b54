import { describe, expect, inject, test } from 'vitest';
import { z } from 'zod';
import { readAction } from '../../dev/kit/account.ts';
import { expectAnswer } from '../../dev/kit/http.ts';
import { until } from '../../dev/kit/until.ts';
import { useDatabase } from '../support/database.ts';
import { expectedAction, expectedDroplet, expectedError } from '../support/expected.ts';
import { useCustomer, useReserved } from '../support/reserved.ts';
import { useWorld, type World } from '../support/world.ts';

const created = z
  .object({ droplet: z.object({ id: z.int() }), links: z.object({ actions: z.tuple([z.object({ id: z.int() })]) }) })
  .transform(({ droplet, links }) => ({ id: droplet.id, actionId: links.actions[0].id }));

const form = (world: World, more: Record<string, unknown> = {}) => ({
  name: 'web-1',
  region: world.region,
  size: 's-1vcpu-1gb',
  image: 'debian-12-x64',
  ...more,
});

describe('POST /v2/droplets', () => {
  test('makes a droplet: 202 with it and a link to its action, which is over', async () => {
    const { world, account } = await useCustomer({ agents: 0, manualHosts: 1 });
    const { apiUrl } = inject('environment');

    const answer = await account.http.post('/v2/droplets', form(world));

    const { id, actionId } = expectAnswer(answer, 202, created);
    expect(answer.body).toEqual({
      droplet: expectedDroplet(id, world.region, { name: 'web-1' }),
      links: { actions: [{ id: actionId, rel: 'create', href: `${apiUrl}/v2/actions/${actionId}` }] },
    });
    expect((await account.http.get(`/v2/actions/${actionId}`)).body).toEqual({
      action: expectedAction({ type: 'create', resource_type: 'droplet', resource_id: id }, world.region, {
        id: actionId,
      }),
    });
  });

  test('takes the image as a number, tags, and settings that it has no use for', async () => {
    const { world, account } = await useCustomer({ agents: 0, manualHosts: 1 });

    const answer = await account.http.post(
      '/v2/droplets',
      form(world, { image: 7_555_620, tags: ['web', 'blue'], ssh_keys: [1], ipv6: true, user_data: '#!/bin/sh' }),
    );

    expect(answer).toMatchObject({
      status: 202,
      body: { droplet: { image: { id: 7_555_620, slug: null, public: false }, tags: ['web', 'blue'] } },
    });
  });

  test('takes for a slug what is too large a number', async () => {
    const { world, account } = await useCustomer({ agents: 0, manualHosts: 1 });
    const image = '99999999999999999999';
    expect(await account.http.post('/v2/droplets', form(world, { image }))).toMatchObject({
      status: 202,
      body: { droplet: { image: { id: 0, slug: image, name: image } } },
    });
  });

  test('puts each droplet on the host of its region that has the fewest, under an anchor address of its own', async () => {
    const { world, account } = await useCustomer({ agents: 0, manualHosts: 2 });
    const db = useDatabase();

    const ids = await world.droplets(account, 6);

    const rows = await db
      .selectFrom('droplets')
      .innerJoin('hosts', 'hosts.id', 'droplets.host_id')
      .select(['hosts.name', 'droplets.anchor'])
      .where('droplets.id', 'in', ids)
      .execute();
    for (const host of world.manualHosts) {
      const anchors = rows.filter((row) => row.name === host.name).map((row) => row.anchor.toString('hex'));
      expect(anchors).toHaveLength(3);
      expect(new Set(anchors).size).toBe(3);
    }
  });

  test('repeated with the same Idempotency-Key makes one droplet', async () => {
    const { world, account } = await useCustomer({ agents: 0, manualHosts: 1 });
    const options = { headers: { 'idempotency-key': 'once' } };

    const answers = await Promise.all([
      account.http.post('/v2/droplets', form(world), options),
      account.at(inject('environment').secondApiUrl).http.post('/v2/droplets', form(world), options),
    ]);

    expect(answers.map((answer) => answer.status)).toEqual([202, 202]);
    expect(answers[0].body).toEqual(answers[1].body);
    expect(await account.http.get('/v2/droplets')).toMatchObject({ body: { meta: { total: 1 } } });
  });

  test('is rejected with 422 at the limit of the account, also for many requests at a time', async () => {
    const { world, account } = await useCustomer({ agents: 0, manualHosts: 1, dropletLimit: 2 });

    const answers = await Promise.all(Array.from({ length: 5 }, () => account.http.post('/v2/droplets', form(world))));

    expect(answers.map((answer) => answer.status).sort()).toEqual([202, 202, 422, 422, 422]);
    expect(await account.http.get('/v2/droplets')).toMatchObject({ body: { meta: { total: 2 } } });
  });

  test('is rejected with 422 in a region without hosts, or whose hosts are gone', async () => {
    const [empty, gone] = await Promise.all([useWorld({ agents: 0 }), useWorld({ agents: 0, manualHosts: 1 })]);
    const account = await empty.account();
    await gone.admin.post(`/internal/v1/hosts/${gone.manualHosts[0]?.name}/gone`);

    for (const world of [empty, gone]) {
      expect(await account.http.post('/v2/droplets', form(world))).toMatchObject({
        status: 422,
        body: { message: expect.stringContaining('capacity') },
      });
    }
  });
});

describe('GET /v2/droplets', () => {
  test('lists the droplets of the account, the newest first', async () => {
    const { world, account } = await useCustomer({ agents: 0, manualHosts: 1 });
    expect((await account.http.get('/v2/droplets')).body).toEqual({ droplets: [], links: {}, meta: { total: 0 } });

    const ids = await world.droplets(account, 3);

    const answer = await account.http.get('/v2/droplets');
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      droplets: ids.toReversed().map((id) => expectedDroplet(id, world.region)),
      links: {},
      meta: { total: 3 },
    });
  });

  test('finds droplets by name or by tag', async () => {
    const { world, account } = await useCustomer({ agents: 0, manualHosts: 1 });
    const make = async (more: Record<string, unknown>) =>
      expectAnswer(await account.http.post('/v2/droplets', form(world, more)), 202, created).id;
    const [first, second] = [
      await make({ name: 'one', tags: ['web'] }),
      await make({ name: 'two', tags: ['web', 'a"'] }),
    ];

    for (const [query, ids] of [
      ['name=one', [first]],
      ['name=nobody', []],
      ['tag_name=web', [second, first]],
      [`tag_name=${encodeURIComponent('a"')}`, [second]],
      ['tag_name=we', []],
    ] as const) {
      const { body } = await account.http.get(`/v2/droplets?${query}`);
      expect(body, query).toMatchObject({ droplets: ids.map((id) => ({ id })), meta: { total: ids.length } });
    }
  });
});

describe('GET /v2/droplets/{id}', () => {
  test('shows a droplet, with the reserved IP that is assigned to it among its networks', async () => {
    const { world, account, droplet } = await useCustomer({ agents: 1, droplets: 1 });
    expect((await account.http.get(`/v2/droplets/${droplet}`)).body).toEqual({
      droplet: expectedDroplet(droplet, world.region),
    });

    const ip = await account.reserve(world.region);
    await account.assign(ip, droplet);

    const answer = await account.http.get(`/v2/droplets/${droplet}`);
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({ droplet: expectedDroplet(droplet, world.region, { reservedIp: ip }) });
  });
});

describe('the actions of a droplet', () => {
  test('rename it: 201 with the action, which is over', async () => {
    const { world, account, droplet } = await useCustomer({ agents: 0, manualHosts: 1, droplets: 1 });

    const answer = await account.http.post(`/v2/droplets/${droplet}/actions`, { type: 'rename', name: 'db-1.example' });

    expect(answer.status).toBe(201);
    const action = expectedAction({ type: 'rename', resource_type: 'droplet', resource_id: droplet }, world.region);
    expect(answer.body).toEqual({ action });
    const { id } = readAction(answer);
    for (const path of [`/v2/droplets/${droplet}/actions/${id}`, `/v2/actions/${id}`]) {
      expect((await account.http.get(path)).body, path).toEqual({ action: { ...action, id } });
    }
    expect(await account.http.get(`/v2/droplets/${droplet}`)).toMatchObject({
      body: { droplet: { name: 'db-1.example' } },
    });
  });

  test('rename it once under one Idempotency-Key', async () => {
    const { account, droplet } = await useCustomer({ agents: 0, manualHosts: 1, droplets: 1 });
    const rename = () =>
      account.http.post(
        `/v2/droplets/${droplet}/actions`,
        { type: 'rename', name: 'renamed' },
        { headers: { 'idempotency-key': 'rename' } },
      );

    const [first, second] = [await rename(), await rename()];

    expect(first.status).toBe(201);
    expect(second).toMatchObject({ status: 201, body: first.body });
    expect(await account.http.get(`/v2/droplets/${droplet}/actions`)).toMatchObject({ body: { meta: { total: 2 } } });
  });

  test('are listed the newest first, those of its addresses among them', async () => {
    const { account, ip, droplet } = await useReserved({ agents: 1 });
    await account.assign(ip, droplet);
    await account.http.post(`/v2/droplets/${droplet}/actions`, { type: 'rename', name: 'renamed' });
    await account.unassign(ip);

    const answer = await account.http.get(`/v2/droplets/${droplet}/actions`);

    expect(answer).toMatchObject({
      status: 200,
      body: {
        actions: [{ type: 'unassign_ip' }, { type: 'rename' }, { type: 'assign_ip' }, { type: 'create' }],
        links: {},
        meta: { total: 4 },
      },
    });
  });

  test.each(['reboot', 'power_off', 'resize', 'destroy'])('offer no %s: 422', async (type) => {
    const { account, droplet } = await useCustomer({ agents: 0, manualHosts: 1, droplets: 1 });

    const answer = await account.http.post(`/v2/droplets/${droplet}/actions`, { type });

    expect(answer.status).toBe(422);
    expect(answer.body).toEqual(
      expectedError('unprocessable_entity', expect.stringMatching(/^type must be rename/), answer.headers),
    );
  });
});

describe('DELETE /v2/droplets/{id}', () => {
  test('takes a droplet away: 204, and it is gone under every path', async () => {
    const { world, account } = await useCustomer({ agents: 0, manualHosts: 1 });
    const [droplet = 0, other = 0] = await world.droplets(account, 2);

    expect(await account.http.delete(`/v2/droplets/${droplet}`)).toMatchObject({ status: 204, text: '' });

    for (const path of [`/v2/droplets/${droplet}`, `/v2/droplets/${droplet}/actions`]) {
      expect(await account.http.get(path), path).toMatchObject({ status: 404 });
    }
    expect(await account.http.delete(`/v2/droplets/${droplet}`)).toMatchObject({ status: 404 });
    expect(await account.http.post('/v2/reserved_ips', { droplet_id: droplet })).toMatchObject({ status: 404 });
    expect(await account.http.get('/v2/droplets')).toMatchObject({
      body: { droplets: [{ id: other }], meta: { total: 1 } },
    });
  });

  test('unassigns its address, which its owner keeps, and has the host detach it', async () => {
    const { account, host, ip, droplet } = await useReserved({ agents: 0, manualHosts: 1 });
    await account.assignBy(host, ip, droplet);

    expect(await account.http.delete(`/v2/droplets/${droplet}`)).toMatchObject({ status: 204 });

    expect(await account.http.get(`/v2/droplets/${droplet}`)).toMatchObject({ status: 404 });
    expect(await account.show(ip)).toMatchObject({ locked: true });
    await host.confirm(ip, 'detach');
    await until('the address was unassigned', async () => !(await account.show(ip)).locked);
    expect(await account.show(ip)).toMatchObject({ droplet: null });
    expect(await account.http.get(`/v2/reserved_ips/${ip}/actions`)).toMatchObject({
      body: { actions: [{ type: 'unassign_ip', status: 'completed' }, {}, {}] },
    });
  });

  test('is rejected with 422 while an address is on its way to it', async () => {
    const { world, account, droplet } = await useCustomer({ agents: 0, manualHosts: 1, droplets: 1 });
    const { ip, actionId } = await account.reserveFor(droplet);

    expect(await account.http.delete(`/v2/droplets/${droplet}`)).toMatchObject({
      status: 422,
      body: { id: 'unprocessable_entity', message: 'Droplet already has a pending event.' },
    });

    await world.manualHosts[0]?.confirm(ip, 'attach');
    await account.completed({ id: actionId });
  });
});
