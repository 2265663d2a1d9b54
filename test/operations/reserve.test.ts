import { describe, expect, test } from 'vitest';
import { readAddress, readReserved } from '../../dev/kit/account.ts';
import { useCustomer } from '../support/reserved.ts';
import { useWorld } from '../support/world.ts';

describe('reserve', () => {
  test('in a region gives a free address at once, ready for the next operation', async () => {
    const { world, account } = await useCustomer({ agents: 0 });

    const answer = await account.http.post('/v2/reserved_ips', { region: world.region });

    expect(answer).toMatchObject({
      status: 202,
      body: { reserved_ip: { droplet: null, locked: false, region: { slug: world.region } }, links: {} },
    });
  });

  test('for a droplet answers locked and unassigned, links the assign, and carries it through', async () => {
    const { world, account, droplet } = await useCustomer({ agents: 1, droplets: 1 });

    const answer = await account.http.post('/v2/reserved_ips', { droplet_id: droplet });
    expect(answer).toMatchObject({
      status: 202,
      body: {
        reserved_ip: { droplet: null, locked: true, region: { slug: world.region } },
        links: {
          droplets: [{ id: droplet, rel: 'droplet', href: expect.stringContaining(`/v2/droplets/${droplet}`) }],
          actions: [{ id: expect.any(Number), rel: 'assign_ip', href: expect.stringContaining('/v2/actions/') }],
        },
      },
    });
    const { ip, actionId } = readReserved(answer);
    await account.completed({ id: actionId });
    expect(await account.show(ip)).toMatchObject({ droplet: { id: droplet }, locked: false });
  });

  test('takes region and droplet together when the droplet is in that region', async () => {
    const { world, account, droplet } = await useCustomer({ agents: 1, droplets: 1 });

    const answer = await account.http.post('/v2/reserved_ips', { droplet_id: droplet, region: world.region });

    expect(answer.status).toBe(202);
    await account.completed({ id: readReserved(answer).actionId });
  });

  test('keeps the address, unassigned, when the host of the droplet does not attach it', async () => {
    const { world, account, droplet } = await useCustomer({ agents: 1, droplets: 1 });
    world.agents[0]?.driver.failNext(Number.POSITIVE_INFINITY);

    const { ip, actionId } = await account.reserveFor(droplet);

    expect(await account.ended({ id: actionId })).toMatchObject({ status: 'errored', type: 'assign_ip' });
    expect(await account.show(ip)).toMatchObject({ droplet: null, locked: false });
  });

  test('hands out every address of a pool once, to many callers at a time', async () => {
    const world = await useWorld({ agents: 0, prefixLength: 28 });
    const accounts = await Promise.all([world.account(), world.account(), world.account()]);

    const answers = await Promise.all(
      accounts.flatMap((account) =>
        Array.from({ length: 6 }, () => account.http.post('/v2/reserved_ips', { region: world.region })),
      ),
    );

    const addresses = answers.filter((answer) => answer.status === 202).map((answer) => readAddress(answer));
    expect(new Set(addresses).size).toBe(14);
    expect(answers.filter((answer) => answer.status === 422)).toHaveLength(4);
  });

  describe('is rejected with 422', () => {
    test('for an unknown region', async () => {
      const { account } = await useCustomer({ agents: 0 });
      expect(await account.http.post('/v2/reserved_ips', { region: 'nowhere' })).toMatchObject({
        status: 422,
        body: { id: 'unprocessable_entity', message: expect.stringContaining('region') },
      });
    });

    test('when region and droplet disagree', async () => {
      const [world, elsewhere] = await Promise.all([useWorld({ agents: 0, manualHosts: 1 }), useWorld({ agents: 0 })]);
      const account = await world.account();
      const [droplet = 0] = await world.droplets(account, 1);
      expect(
        await account.http.post('/v2/reserved_ips', { droplet_id: droplet, region: elsewhere.region }),
      ).toMatchObject({ status: 422, body: { message: expect.stringContaining('same region') } });
    });

    test('at the limit of the account, also for many requests at a time', async () => {
      const { world, account } = await useCustomer({ agents: 0, reservedIpLimit: 3 });

      const answers = await Promise.all(
        Array.from({ length: 8 }, () => account.http.post('/v2/reserved_ips', { region: world.region })),
      );

      expect(answers.map((answer) => answer.status).sort()).toEqual([202, 202, 202, 422, 422, 422, 422, 422]);
      expect(await account.http.get('/v2/reserved_ips')).toMatchObject({ body: { meta: { total: 3 } } });
    });

    test('when the pool of the region is used up', async () => {
      const { world, account } = await useCustomer({ agents: 0, prefixLength: 30 });
      await account.reserve(world.region);
      await account.reserve(world.region);
      expect(await account.http.post('/v2/reserved_ips', { region: world.region })).toMatchObject({
        status: 422,
        body: { message: expect.stringContaining('available') },
      });
    });

    test('for a droplet that already has an address', async () => {
      const { account, droplet } = await useCustomer({ agents: 1, droplets: 1 });
      await account.completed({ id: (await account.reserveFor(droplet)).actionId });
      expect(await account.http.post('/v2/reserved_ips', { droplet_id: droplet })).toMatchObject({ status: 422 });
    });
  });

  test('is rejected with 404 for another account’s droplet', async () => {
    const world = await useWorld({ agents: 0, manualHosts: 1 });
    const [owner, stranger] = await Promise.all([world.account(), world.account()]);
    const [droplet = 0] = await world.droplets(owner, 1);
    expect(await stranger.http.post('/v2/reserved_ips', { droplet_id: droplet })).toMatchObject({ status: 404 });
    expect(await stranger.http.get('/v2/reserved_ips')).toMatchObject({ body: { meta: { total: 0 } } });
  });
});
