import { describe, expect, test } from 'vitest';
import { until } from '../../dev/kit/until.ts';
import { useReserved } from '../support/reserved.ts';
import { useTemporal } from '../support/temporal.ts';
import { useWorld } from '../support/world.ts';

describe('an acknowledgment', () => {
  test('that comes before any worker waits for it counts', async () => {
    const world = await useWorld({ agents: 0, manualHosts: 1 });
    const [host] = world.manualHosts;
    const account = await world.account();
    const [droplet = 0] = await world.droplets(account, 1);

    for (let round = 0; round < 10; round++) {
      const ip = await account.reserve(world.region);
      const action = await account.startAssign(ip, droplet);
      const [event] = (await host?.openCommands()) ?? [];
      expect(event, 'the event is there as soon as the assign is answered').toMatchObject({ address: ip });
      if (event) expect(await host?.acknowledge(event)).toBe('recorded');
      await account.completed(action);
      const unassigned = await account.startUnassign(ip);
      await host?.confirm(ip, 'detach');
      await account.completed(unassigned);
      await account.release(ip);
    }
  });

  test('that comes twice, or many times at once, completes the operation once', async () => {
    const { world, account, ip, droplet } = await useReserved({ agents: 0, manualHosts: 1 });
    const [host] = world.manualHosts;
    const action = await account.startAssign(ip, droplet);
    const event = await host?.command(ip, 'attach');
    if (!host || !event) throw new Error('no event');

    const results = await Promise.all(Array.from({ length: 5 }, () => host.acknowledge(event)));
    await account.completed(action);

    expect(
      results.every((result) => result === 'recorded' || result === 'repeated'),
      results.join(),
    ).toBe(true);
    expect(await host.acknowledge(event)).toBe('repeated');
    expect(await account.action(action.id)).toMatchObject({ status: 'completed' });
  });

  test('that is late but within the attempts still completes the operation', async () => {
    const { world, account, ip, droplet } = await useReserved({ agents: 0, manualHosts: 1 });
    const [host] = world.manualHosts;
    const action = await account.startAssign(ip, droplet);
    const first = await host?.command(ip, 'attach');

    // The second attempt tells the host again; the answer to the first telling is as good.
    const again = await host?.command(ip, 'attach', first?.sequence);
    expect(again?.generation).toBe(first?.generation);
    if (first) await host?.acknowledge(first);

    await account.completed(action);
  });

  test('that never comes undoes the assign, and the host is commanded to detach under a newer generation', async () => {
    const { world, account, ip, droplet } = await useReserved({ agents: 0, manualHosts: 1 });
    const [host] = world.manualHosts;

    const action = await account.startAssign(ip, droplet);
    const attach = await host?.command(ip, 'attach');
    expect(await account.ended(action)).toMatchObject({ status: 'errored' });

    expect(await account.show(ip)).toMatchObject({ droplet: null, locked: false });
    const detach = await host?.command(ip, 'detach');
    expect(detach?.generation).toBeGreaterThan(attach?.generation ?? 0);
  });

  test('that never comes on a reassign puts the address back on the droplet it was on', async () => {
    const { world, account, ip, droplets } = await useReserved({ agents: 0, manualHosts: 2, droplets: 2 });
    const [first = 0, second = 0] = droplets;
    const [host] = world.manualHosts;
    const attached = await account.assignBy(host, ip, first);

    expect(await account.ended(await account.startAssign(ip, second))).toMatchObject({ status: 'errored' });

    expect(await account.show(ip)).toMatchObject({ droplet: { id: first }, locked: false });
    const restored = await host?.command(ip, 'attach', attached?.sequence);
    expect(restored).toMatchObject({ droplet_id: first });
    expect(restored?.generation).toBeGreaterThan(attached?.generation ?? 0);
  });

  test('that never comes undoes an unassign, and the host is commanded to attach under a newer generation', async () => {
    const { world, account, ip, droplet } = await useReserved({ agents: 0, manualHosts: 1 });
    const [host] = world.manualHosts;
    await account.assignBy(host, ip, droplet);

    expect(await account.ended(await account.startUnassign(ip))).toMatchObject({ status: 'errored' });

    expect(await account.show(ip)).toMatchObject({ droplet: { id: droplet }, locked: false });
    const detach = await host?.command(ip, 'detach');
    const attach = await host?.command(ip, 'attach');
    expect(attach?.generation).toBeGreaterThan(detach?.generation ?? 0);
  });

  test('that comes after the undo changes nothing', async () => {
    const { world, account, ip, droplet } = await useReserved({ agents: 0, manualHosts: 1 });
    const [host] = world.manualHosts;
    const action = await account.startAssign(ip, droplet);
    const attach = await host?.command(ip, 'attach');
    await account.ended(action);

    if (attach) await host?.acknowledge(attach);

    expect(await account.action(action.id)).toMatchObject({ status: 'errored' });
    expect(await account.show(ip)).toMatchObject({ droplet: null, locked: false });
  });

  test('of failure is tried again, and a success of the second try completes the operation', async () => {
    const { world, account, ip, droplet } = await useReserved({ agents: 1 });
    world.agents[0]?.driver.failNext(1);
    await account.assign(ip, droplet);
  });

  test('of failure through all attempts undoes the operation and tells the operator why', async () => {
    const { world, account, ip, droplet } = await useReserved({ agents: 1 });
    const temporal = await useTemporal();
    world.agents[0]?.driver.failNext(Number.POSITIVE_INFINITY);

    expect(await account.ended(await account.startAssign(ip, droplet))).toMatchObject({ status: 'errored' });

    const handle = temporal.workflow.getHandle(`reserved-ip/${ip}`);
    await expect(handle.result()).rejects.toMatchObject({
      cause: {
        message: expect.stringMatching(/^Fix host \S+, then reset this workflow.*the simulated driver is set to fail/),
      },
    });
    world.agents[0]?.driver.failNext(0);
    await account.assign(ip, droplet);
  });
});

describe('moving away from a living host', () => {
  test('that cannot detach at its first try has it try again before the move is over', async () => {
    const { world, account, ip, droplets } = await useReserved({ agents: 2, droplets: 2 });
    const [first = 0, second = 0] = droplets;
    await account.assign(ip, first);
    const previous = world.agents.find((agent) => agent.driver.attachments.has(ip));
    previous?.driver.failNext(1, ip);

    await account.assign(ip, second);

    expect(previous?.driver.attachments.has(ip)).toBe(false);
  });
});

describe('failing over away from a dead host', () => {
  test('does not need the dead host', async () => {
    const { world, account, ip, droplets } = await useReserved({ agents: 2, droplets: 2 });
    const [first = 0, second = 0] = droplets;
    await account.assign(ip, first);
    const deadHost = world.agents.find((agent) => agent.driver.attachments.has(ip));
    deadHost?.driver.silence('before-applying');

    await account.assign(ip, second);

    expect(await account.show(ip)).toMatchObject({ droplet: { id: second } });
    deadHost?.driver.speakAgain();
    await until('the host that came back detached it', async () => !deadHost?.driver.attachments.has(ip));
  });
});
