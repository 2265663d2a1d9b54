import { describe, expect, test } from 'vitest';
import type { Account } from '../../dev/kit/account.ts';
import { until } from '../../dev/kit/until.ts';
import { useReserved } from '../support/reserved.ts';
import { useWorld } from '../support/world.ts';

function untilReservable(account: Account, region: string): Promise<boolean> {
  return until('the address came back', async () => {
    const attempt = await account.http.post('/v2/reserved_ips', { region });
    return attempt.status === 202;
  });
}

describe('release', () => {
  test('takes an unassigned address from its owner at once', async () => {
    const world = await useWorld({ agents: 0 });
    const account = await world.account();
    const ip = await account.reserve(world.region);

    expect(await account.requestRelease(ip)).toMatchObject({ status: 204, text: '' });

    expect(await account.http.get(`/v2/reserved_ips/${ip}`)).toMatchObject({ status: 404 });
    expect(await account.http.get('/v2/reserved_ips')).toMatchObject({
      body: { reserved_ips: [], meta: { total: 0 } },
    });
    expect(await account.requestRelease(ip)).toMatchObject({ status: 404 });
  });

  test('of an assigned address detaches it first, behind the answer', async () => {
    const { world, account, ip, droplet } = await useReserved({ agents: 0, manualHosts: 1 });
    const [host] = world.manualHosts;
    await account.assignBy(host, ip, droplet);

    expect(await account.requestRelease(ip)).toMatchObject({ status: 204 });

    expect(await account.http.get(`/v2/reserved_ips/${ip}`)).toMatchObject({ status: 404 });
    expect(await account.http.get('/v2/actions')).toMatchObject({
      body: {
        actions: expect.arrayContaining([expect.objectContaining({ type: 'release_ip', status: 'in-progress' })]),
      },
    });
    await host?.confirm(ip, 'detach');
    await until('the release was completed', async () => {
      const { body } = await account.http.get('/v2/actions');
      return JSON.stringify(body).includes('"in-progress"') ? null : true;
    });
  });

  test('leaves the droplet free for another address at once', async () => {
    const { world, account, ip, droplet } = await useReserved({ agents: 1 });
    await account.assign(ip, droplet);
    await account.release(ip);
    await account.assign(await account.reserve(world.region), droplet);
  });

  test('of another account’s address is rejected with 404', async () => {
    const world = await useWorld({ agents: 0 });
    const [owner, stranger] = await Promise.all([world.account(), world.account()]);
    const ip = await owner.reserve(world.region);
    expect(await stranger.requestRelease(ip)).toMatchObject({ status: 404 });
    expect(await owner.show(ip)).toMatchObject({ locked: false });
  });

  test('while another operation is open is rejected with 422', async () => {
    const { world, account, ip, droplet } = await useReserved({ agents: 0, manualHosts: 1 });
    const open = await account.startAssign(ip, droplet);
    expect(await account.requestRelease(ip)).toMatchObject({
      status: 422,
      body: { message: 'The reserved IP already has a pending event.' },
    });
    await world.manualHosts[0]?.confirm(ip, 'attach');
    await account.completed(open);
  });
});

describe('a released address', () => {
  test('that was on no host is the next to be handed out, at once', async () => {
    const world = await useWorld({ agents: 0 });
    const [account, next] = await Promise.all([world.account(), world.account()]);
    const ip = await account.reserve(world.region);
    await account.release(ip);
    expect(await next.reserve(world.region)).toBe(ip);
  });

  test('that was on a host is in quarantine before it is available again, to whoever asks then', async () => {
    const world = await useWorld({ agents: 1, prefixLength: 30 });
    const [account, next] = await Promise.all([world.account(), world.account()]);
    const [droplet = 0] = await world.droplets(account, 1);
    const [ip] = [await account.reserve(world.region), await account.reserve(world.region)];
    await account.assign(ip, droplet);
    await account.release(ip);

    expect(await next.http.post('/v2/reserved_ips', { region: world.region })).toMatchObject({ status: 422 });
    const answer = await until('the quarantine of the address had ended', async () => {
      const attempt = await next.http.post('/v2/reserved_ips', { region: world.region });
      return attempt.status === 202 ? attempt : null;
    });
    expect(answer.body).toMatchObject({ reserved_ip: { ip } });
  });

  test('does not return to the pool while a host may still answer on it', async () => {
    const world = await useWorld({ agents: 0, manualHosts: 1, prefixLength: 30 });
    const [host] = world.manualHosts;
    const account = await world.account();
    const [droplet = 0] = await world.droplets(account, 1);
    const [ip] = [await account.reserve(world.region), await account.reserve(world.region)];
    await account.assignBy(host, ip, droplet);
    await account.release(ip);

    // The host says nothing through several attempts, each of which tells it again.
    const first = await host?.command(ip, 'detach');
    await host?.command(ip, 'detach', first?.sequence);
    expect(await account.http.post('/v2/reserved_ips', { region: world.region })).toMatchObject({ status: 422 });

    await host?.confirm(ip, 'detach');
    await untilReservable(account, world.region);
  });

  test('returns to the pool on an operator’s word that the host is gone', async () => {
    const world = await useWorld({ agents: 0, manualHosts: 1, prefixLength: 30 });
    const [host] = world.manualHosts;
    const account = await world.account();
    const [droplet = 0] = await world.droplets(account, 1);
    const [ip] = [await account.reserve(world.region), await account.reserve(world.region)];
    await account.assignBy(host, ip, droplet);
    await account.release(ip);

    expect(await world.admin.post(`/internal/v1/hosts/${host?.name}/gone`)).toMatchObject({ status: 200 });

    await untilReservable(account, world.region);
  });

  test('waits for a dead host that it was moved away from before', async () => {
    const world = await useWorld({ agents: 0, manualHosts: 2, prefixLength: 30 });
    const account = await world.account();
    const droplets = await world.droplets(account, 2);
    const [ip] = [await account.reserve(world.region), await account.reserve(world.region)];
    const [dead, healthy] = world.manualHosts;
    const [onDead = 0, onHealthy = 0] = droplets;
    await account.assignBy(dead, ip, onDead);
    await account.assignBy(healthy, ip, onHealthy);

    await account.release(ip);
    await healthy?.confirm(ip, 'detach');
    const toldDead = await dead?.command(ip, 'detach');
    expect(await account.http.post('/v2/reserved_ips', { region: world.region })).toMatchObject({ status: 422 });

    await dead?.command(ip, 'detach', toldDead?.sequence);
    await dead?.confirm(ip, 'detach');
    await untilReservable(account, world.region);
  });
});
