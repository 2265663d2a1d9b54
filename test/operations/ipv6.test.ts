import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { readIpv6Address } from '../../dev/kit/account.ts';
import { expectAnswer } from '../../dev/kit/http.ts';
import { until } from '../../dev/kit/until.ts';
import { anchorFor } from '../../domain/anchor.ts';
import { useCustomer } from '../support/reserved.ts';
import { useWorld } from '../support/world.ts';

const ANCHOR = /^fd5d:2a1c:7b60::a11:[\da-f]{1,4}$/;

/** A world with hosts whose answers the test decides, and an account with a droplet on each and an IPv6 address. */
async function useManualWorld() {
  const world = await useWorld({ agents: 0, manualHosts: 2, ipv6PrefixLength: 124 });
  const [host, other] = world.manualHosts;
  if (!host || !other) throw new Error('no hosts');
  const account = await world.account();
  const [droplet = 0, otherDroplet = 0] = await world.droplets(account, 2);
  const ip = await account.reserveIpv6(world.region);
  return { world, host, other, account, droplet, otherDroplet, ip };
}

describe('an IPv6 address', () => {
  test('goes to its droplet’s host with the IPv6 anchor of the droplet, which the desired state has too', async () => {
    const { host, account, droplet, ip } = await useManualWorld();
    const { droplet: shown } = expectAnswer(
      await account.http.get(`/v2/droplets/${droplet}`),
      200,
      z.object({ droplet: z.object({ networks: z.object({ v4: z.tuple([z.object({ ip_address: z.ipv4() })]) }) }) }),
    );
    const anchor = anchorFor(6, shown.networks.v4[0].ip_address);

    const action = await account.startAssign(ip, droplet);

    const event = await host.command(ip, 'attach');
    expect(event).toMatchObject({ address: ip, droplet_id: droplet, anchor });
    expect(anchor).toMatch(ANCHOR);
    expect(await host.http.get('/host/v1/desired-state')).toMatchObject({
      body: { attachments: [{ address: ip, anchor, droplet_id: droplet, generation: event.generation }] },
    });
    await host.acknowledge(event);
    await account.completed(action);
    expect(await account.showIpv6(ip)).toMatchObject({ droplet: { id: droplet } });
  });

  test('moves to a droplet on another host, and the old host detaches it', async () => {
    const { host, other, account, droplet, otherDroplet, ip } = await useManualWorld();
    await account.assignBy(host, ip, droplet);

    const moved = await account.startAssign(ip, otherDroplet);
    expect(await other.confirm(ip, 'attach')).toMatchObject({ anchor: expect.stringMatching(ANCHOR) });
    expect(await host.confirm(ip, 'detach')).toMatchObject({ anchor: null });
    await account.completed(moved);

    expect(await account.showIpv6(ip)).toMatchObject({ droplet: { id: otherDroplet } });
    expect(await host.http.get('/host/v1/desired-state')).toMatchObject({ body: { attachments: [] } });
  });

  test('leads its whole life over the real agent', async () => {
    const { world, account } = await useCustomer({ agents: 2, ipv6PrefixLength: 124 });
    const [first = 0, second = 0] = await world.droplets(account, 2);
    const attached = async () => (await Promise.all(world.agents.map(({ driver }) => driver.list()))).flat();
    const ip = await account.reserveIpv6(world.region);

    await account.assign(ip, first);
    expect(await attached()).toMatchObject([{ address: ip, dropletId: first }]);
    await account.assign(ip, second);
    expect(await attached()).toMatchObject([{ address: ip, dropletId: second }]);
    await account.unassign(ip);
    expect(await attached()).toEqual([]);
    await account.release(ip);
    expect(await account.http.get(`/v2/reserved_ipv6/${ip}`)).toMatchObject({ status: 404 });
  });

  test('is rejected with 422 and the v2 wording while another operation on it is open', async () => {
    const { host, account, droplet, otherDroplet, ip } = await useManualWorld();
    const open = await account.startAssign(ip, droplet);

    for (const answer of [
      await account.requestAssign(ip, otherDroplet),
      await account.requestUnassign(ip),
      await account.requestRelease(ip),
    ]) {
      expect(answer).toMatchObject({
        status: 422,
        body: { id: 'unprocessable_entity', message: 'The reserved IPv6 already has a pending event.' },
      });
    }

    await host.confirm(ip, 'attach');
    await account.completed(open);
  });

  test('assigned by many requests at a time goes where one of them says, and the others are rejected', async () => {
    const { host, other, account, droplet, otherDroplet, ip } = await useManualWorld();

    const answers = await Promise.all(
      [droplet, otherDroplet, droplet, otherDroplet].map((id, index) =>
        account.requestAssign(index % 2 === 0 ? ip : ip.toUpperCase(), id),
      ),
    );

    expect(answers.map(({ status }) => status).sort()).toEqual([201, 422, 422, 422]);
    for (const answer of answers.filter(({ status }) => status === 422)) {
      expect(answer.body).toMatchObject({ message: 'The reserved IPv6 already has a pending event.' });
    }
    const won = answers.findIndex(({ status }) => status === 201) % 2;
    await (won === 0 ? host : other).confirm(ip, 'attach');
    await until('it was assigned', async () => (await account.showIpv6(ip)).droplet !== null);
    expect(await account.showIpv6(ip)).toMatchObject({ droplet: { id: won === 0 ? droplet : otherDroplet } });
  });

  test('does not go to a droplet that has another one, or that another one is on its way to', async () => {
    const { world, host, account, droplet, ip } = await useManualWorld();
    const second = await account.reserveIpv6(world.region);
    const open = await account.startAssign(ip, droplet);
    expect(await account.requestAssign(second, droplet)).toMatchObject({
      status: 422,
      body: { message: 'Droplet already has a pending event.' },
    });
    await host.confirm(ip, 'attach');
    await account.completed(open);

    expect(await account.requestAssign(second, droplet)).toMatchObject({
      status: 422,
      body: { message: 'The Droplet already has a reserved IPv6 assigned to it.' },
    });
  });

  test('is put back where it was when the new host fails, under a generation that both hosts heed', async () => {
    const { host, other, account, droplet, otherDroplet, ip } = await useManualWorld();
    await account.assignBy(host, ip, droplet);

    const action = await account.startAssign(ip, otherDroplet);
    const failing = until('the move was undone', async () => {
      const events = (await other.openCommands()).filter(({ address }) => address === ip);
      for (const event of events) {
        await other.acknowledge(event, event.change === 'attach' ? 'failed' : 'applied', 'no IPv6 here');
      }
      return (await account.action(action.id)).status === 'errored';
    });
    await failing;

    expect(await account.showIpv6(ip)).toMatchObject({ droplet: { id: droplet } });
    expect(await host.command(ip, 'attach')).toMatchObject({
      droplet_id: droplet,
      anchor: expect.stringMatching(ANCHOR),
    });
  });
});

describe('IPv6 addresses', () => {
  test('count towards a limit of their own', async () => {
    const { world, account } = await useCustomer({ agents: 0, ipv6PrefixLength: 124, reservedIpLimit: 2 });
    await account.reserve(world.region);
    await account.reserve(world.region);

    const answers = await Promise.all(
      Array.from({ length: 5 }, () => account.http.post('/v2/reserved_ipv6', { region_slug: world.region })),
    );

    expect(answers.map(({ status }) => status).sort()).toEqual([201, 201, 422, 422, 422]);
  });

  test('come from the IPv6 pools of the region only, each once', async () => {
    const world = await useWorld({ agents: 0, ipv6PrefixLength: 126 });
    // One account may not have more than half of so small a pool.
    const accounts = await Promise.all(Array.from({ length: 5 }, () => world.account()));

    const answers = await Promise.all(
      accounts.map(({ http }) => http.post('/v2/reserved_ipv6', { region_slug: world.region })),
    );

    const ips = answers.filter(({ status }) => status === 201).map((answer) => readIpv6Address(answer));
    expect(new Set(ips).size, 'all of the range but its first address').toBe(3);
    expect(answers.find(({ status }) => status === 422)).toMatchObject({
      body: { message: 'There is no reserved IPv6 available in this region.' },
    });
    const [account] = accounts;
    expect((await account?.http.post('/v2/reserved_ips', { region: world.region }))?.status).toBe(202);
  });

  test('that were on a host are in quarantine before they are available again, and the list of pools counts them', async () => {
    const world = await useWorld({ agents: 0, manualHosts: 1 });
    const cidr = await world.importIpv6Pool(128);
    const [host] = world.manualHosts;
    const account = await world.account();
    const [droplet = 0] = await world.droplets(account, 1);
    const ip = await account.reserveIpv6(world.region);
    const use = async () => {
      const schema = z.object({ pools: z.array(z.looseObject({ cidr: z.string() })) });
      const { pools } = expectAnswer(await world.admin.get('/internal/v1/pools'), 200, schema);
      return pools.find((pool) => pool.cidr === cidr);
    };
    expect(await use()).toMatchObject({ total: 1, free: 0, reserved: 1 });
    await account.assignBy(host, ip, droplet);
    const unassigned = await account.startUnassign(ip);
    await host?.confirm(ip, 'detach');
    await account.completed(unassigned);

    await account.release(ip);

    expect(await account.http.post('/v2/reserved_ipv6', { region_slug: world.region })).toMatchObject({ status: 422 });
    const again = await until('the quarantine of the address had ended', async () => {
      const answer = await account.http.post('/v2/reserved_ipv6', { region_slug: world.region });
      return answer.status === 201 && readIpv6Address(answer);
    });
    expect(again).toBe(ip);
  });

  test('do not return to the pool while a host may still answer on them', async () => {
    const world = await useWorld({ agents: 0, manualHosts: 2 });
    await world.importIpv6Pool(128);
    const [silent, healthy] = world.manualHosts;
    const account = await world.account();
    const [onSilent = 0, onHealthy = 0] = await world.droplets(account, 2);
    const ip = await account.reserveIpv6(world.region);
    await account.assignBy(silent, ip, onSilent);
    await account.assignBy(healthy, ip, onHealthy);
    const unassigned = await account.startUnassign(ip);
    await healthy?.confirm(ip, 'detach');
    await account.completed(unassigned);

    await account.release(ip);
    const told = await silent?.command(ip, 'detach');
    await silent?.command(ip, 'detach', told?.sequence);
    expect(await account.http.post('/v2/reserved_ipv6', { region_slug: world.region })).toMatchObject({ status: 422 });

    await silent?.confirm(ip, 'detach');
    await until('the address came back', async () => {
      const answer = await account.http.post('/v2/reserved_ipv6', { region_slug: world.region });
      return answer.status === 201;
    });
  });
});
