import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { expectAnswer, Http } from '../../dev/kit/http.ts';
import { useWorld, type World } from '../support/world.ts';

const hostSchema = z.object({
  name: z.string(),
  region: z.string(),
  state: z.string(),
  anchor_cidr: z.string(),
  last_sequence: z.int(),
  unacknowledged_events: z.int(),
  oldest_unacknowledged_at: z.string().nullable(),
  created_at: z.string(),
});

async function hostNamed(world: World, name: string) {
  const answer = await world.admin.get('/internal/v1/hosts');
  return expectAnswer(answer, 200, z.object({ hosts: z.array(hostSchema) })).hosts.find((host) => host.name === name);
}

describe('a host', () => {
  test('is registered once, however often that is repeated', async () => {
    const world = await useWorld({ agents: 0 });
    const path = `/internal/v1/hosts/${world.region}-a.1`;
    const body = { region: world.region, anchor_cidr: '10.17.0.0/24' };

    const first = await world.admin.put(path, body);
    const second = await world.admin.put(path, body);

    expect(first).toMatchObject({
      status: 200,
      body: {
        host: { name: `${world.region}-a.1`, region: world.region, state: 'active', anchor_cidr: '10.17.0.0/24' },
      },
    });
    expect(second.body).toEqual(first.body);
  });

  test('can move to another region and anchor range as long as it carries no droplet', async () => {
    const world = await useWorld({ agents: 0 });
    const elsewhere = await useWorld({ agents: 0 });
    const name = `${world.region}-1`;
    await world.registerHost(name);
    const put = (region: string, anchor: string) =>
      world.admin.put(`/internal/v1/hosts/${name}`, { region, anchor_cidr: anchor });

    expect(await put(elsewhere.region, '10.18.0.0/24')).toMatchObject({
      status: 200,
      body: { host: { region: elsewhere.region, anchor_cidr: '10.18.0.0/24' } },
    });
    expect(await put(world.region, '10.17.0.0/16')).toMatchObject({ status: 200 });

    await world.droplets(await world.account(), 1);
    expect(await put(elsewhere.region, '10.17.0.0/16')).toMatchObject({ status: 409, body: { id: 'conflict' } });
    expect(await put(world.region, '10.19.0.0/16')).toMatchObject({
      status: 409,
      body: { message: expect.stringContaining('carries Droplets') },
    });
    expect(await put(world.region, '10.17.0.0/16')).toMatchObject({ status: 200 });
    expect(await hostNamed(world, name)).toMatchObject({ region: world.region, anchor_cidr: '10.17.0.0/16' });
  });

  test('is not registered under a bad name, in an unknown region or with a bad anchor range', async () => {
    const world = await useWorld({ agents: 0 });
    const good = { region: world.region, anchor_cidr: '10.17.0.0/24' };
    for (const name of ['HV-1', '-hv', '.hv', 'hv_1', 'h'.repeat(64)]) {
      expect(await world.admin.put(`/internal/v1/hosts/${name}`, good), name).toMatchObject({ status: 422 });
    }
    expect(await world.admin.put('/internal/v1/hosts/hv%201', good)).toMatchObject({ status: 404 });
    const name = `${world.region}-1`;
    const bodies = [
      { ...good, region: 'nowhere' },
      { ...good, anchor_cidr: '10.17.0.1/24' },
      { ...good, anchor_cidr: '0.0.0.0/7' },
      { ...good, anchor_cidr: '2001:db8::/120' },
      { ...good, anchor_cidr: 'anywhere' },
      { ...good, state: 'gone' },
      { region: world.region },
      { anchor_cidr: '10.17.0.0/24' },
      {},
    ];
    for (const body of bodies) {
      const answer = await world.admin.put(`/internal/v1/hosts/${name}`, body);
      expect(answer.status, `${JSON.stringify(body)}: ${answer.text}`).toBe(422);
    }
    expect(await hostNamed(world, name)).toBeUndefined();
  });

  test('shows what it has not answered, and since when', async () => {
    const world = await useWorld({ agents: 0, manualHosts: 1 });
    const [host] = world.manualHosts;
    const name = host?.name ?? '';
    expect(await hostNamed(world, name)).toMatchObject({
      last_sequence: 0,
      unacknowledged_events: 0,
      oldest_unacknowledged_at: null,
    });
    const account = await world.account();
    const [droplet = 0] = await world.droplets(account, 1);
    const ip = await account.reserve(world.region);
    const before = Date.now();
    const action = await account.startAssign(ip, droplet);

    const waiting = await hostNamed(world, name);
    expect(waiting).toMatchObject({ last_sequence: 1, unacknowledged_events: 1 });
    const since = Date.parse(waiting?.oldest_unacknowledged_at ?? '');
    expect(Math.abs(since - before)).toBeLessThan(5_000);

    await host?.confirm(ip, 'attach');
    await account.completed(action);
    expect(await hostNamed(world, name)).toMatchObject({ last_sequence: 1, unacknowledged_events: 0 });
  });

  test('may have several tokens at a time, which are revoked together', async () => {
    const world = await useWorld({ agents: 0, manualHosts: 1 });
    const [host] = world.manualHosts;
    const another = await world.registerHost(host?.name ?? '');
    expect(another).toMatch(/^riph_[\w-]{43}$/);
    expect(another).not.toBe(host?.http.token);
    for (const token of [host?.http.token ?? '', another]) {
      expect(await new Http(world.admin.baseUrl, token).get('/host/v1/desired-state')).toMatchObject({ status: 200 });
    }
    const path = `/internal/v1/hosts/${host?.name}/tokens`;
    expect((await world.admin.delete(path)).body).toEqual({ revoked: 2 });
    expect((await world.admin.delete(path)).body).toEqual({ revoked: 0 });
  });

  test('that does not exist is not found, whatever is asked of it', async () => {
    const world = await useWorld({ agents: 0 });
    const path = '/internal/v1/hosts/no-such-host';
    const answers = [
      await world.admin.post(`${path}/tokens`),
      await world.admin.delete(`${path}/tokens`),
      await world.admin.post(`${path}/gone`),
      await world.admin.post(`${path}/returned`),
    ];
    for (const answer of answers) expect(answer).toMatchObject({ status: 404, body: { id: 'not_found' } });
  });
});
