import { WorkflowFailedError } from '@temporalio/client';
import { describe, expect, test } from 'vitest';
import { createReservedIpClient, OperationUnavailableError } from '../../client/index.ts';
import { useTemporal } from '../support/temporal.ts';
import { useWorld } from '../support/world.ts';

describe('the client of an internal service, which has Temporal and no database', () => {
  test('walks an address through its life', async () => {
    const world = await useWorld({ agents: 2 });
    const client = createReservedIpClient({ temporal: await useTemporal() });
    const account = await world.account();
    const { id: accountId } = account;
    const [first = 0, second = 0] = await world.droplets(account, 2);

    const reserved = await client.reserve({ accountId, target: { region: world.region, dropletId: null } });
    if (reserved.decision.kind === 'refused') throw new Error(reserved.decision.refusal);
    const { address } = reserved.decision;
    expect(await reserved.completed()).toMatchObject({ kind: 'completed', address });

    const assigned = await client.assign({ accountId, address, dropletId: first });
    expect(assigned.decision).toMatchObject({ kind: 'admitted', address, attachTo: expect.any(String) });
    expect(await assigned.completed()).toMatchObject({ kind: 'completed' });
    expect(await account.show(address)).toMatchObject({ droplet: { id: first } });

    const moved = await client.assign({ accountId, address, dropletId: second });
    await moved.completed();
    expect(await account.show(address)).toMatchObject({ droplet: { id: second } });

    await (await client.unassign({ accountId, address })).completed();
    expect(await account.show(address)).toMatchObject({ droplet: null });

    expect(await (await client.release({ accountId, address })).completed()).toMatchObject({ kind: 'completed' });
    expect(await account.http.get(`/v2/reserved_ips/${address}`)).toMatchObject({ status: 404 });
  });

  test('walks an IPv6 address through its life, in whatever spelling', async () => {
    const world = await useWorld({ agents: 1, ipv6PrefixLength: 124 });
    const client = createReservedIpClient({ temporal: await useTemporal() });
    const account = await world.account();
    const { id: accountId } = account;
    const [dropletId = 0] = await world.droplets(account, 1);

    const reserved = await client.reserve({
      accountId,
      resourceType: 'reserved_ipv6',
      target: { region: world.region, dropletId: null },
    });
    if (reserved.decision.kind === 'refused') throw new Error(reserved.decision.refusal);
    const { address } = reserved.decision;
    await reserved.completed();
    const assigned = await client.assign({ accountId, address: address.toUpperCase(), dropletId });
    expect(assigned).toMatchObject({ workflowId: `reserved-ip/${address}`, decision: { kind: 'admitted', address } });
    const outcome = await assigned.completed();
    expect(outcome).toMatchObject({ kind: 'completed', address });
    expect(await account.showIpv6(address)).toMatchObject({ droplet: { id: dropletId } });
    expect(await account.action(outcome.kind === 'completed' ? outcome.actionId : 0)).toMatchObject({
      resource_type: 'reserved_ipv6',
    });

    expect((await client.release({ accountId, address })).decision).toMatchObject({ refusal: 'still_assigned' });
    await (await client.unassign({ accountId, address })).completed();
    expect(await (await client.release({ accountId, address })).completed()).toMatchObject({ kind: 'completed' });
    expect(await account.http.get(`/v2/reserved_ipv6/${address}`)).toMatchObject({ status: 404 });
  });

  test('reserves an IPv6 address for a droplet that has an IPv4 one', async () => {
    const world = await useWorld({ agents: 1, ipv6PrefixLength: 124 });
    const client = createReservedIpClient({ temporal: await useTemporal() });
    const account = await world.account();
    const [dropletId = 0] = await world.droplets(account, 1);
    await account.completed({ id: (await account.reserveFor(dropletId)).actionId });
    const request = {
      accountId: account.id,
      resourceType: 'reserved_ipv6',
      target: { region: null, dropletId },
    } as const;

    const reserved = await client.reserve(request);

    const outcome = await reserved.completed();
    const address = outcome.kind === 'completed' ? outcome.address : '';
    expect(await account.showIpv6(address)).toMatchObject({ droplet: { id: dropletId } });
    expect((await client.reserve(request)).decision).toMatchObject({ refusal: 'droplet_has_address' });
  });

  test('does not find an address under the resource type of the other IP version', async () => {
    const world = await useWorld({ agents: 0, ipv6PrefixLength: 124 });
    const client = createReservedIpClient({ temporal: await useTemporal() });
    const account = await world.account();
    const { id: accountId } = account;
    const ipv4 = { address: await account.reserve(world.region), resourceType: 'reserved_ipv6' } as const;
    const ipv6 = { address: await account.reserveIpv6(world.region), resourceType: 'reserved_ip' } as const;

    for (const named of [ipv4, ipv6]) {
      expect((await client.release({ accountId, ...named })).decision).toMatchObject({ refusal: 'address_not_found' });
    }
    expect(await account.show(ipv4.address)).toMatchObject({ locked: false });
    expect(await account.showIpv6(ipv6.address)).toMatchObject({ droplet: null });
  });

  test('rejects at once what is no address', async () => {
    const client = createReservedIpClient({ temporal: await useTemporal() });
    await expect(client.release({ accountId: 1, address: '2001:db8::1::2' })).rejects.toBeInstanceOf(RangeError);
  });

  test('issues each operation the moment the one before has completed', async () => {
    const world = await useWorld({ agents: 1 });
    const client = createReservedIpClient({ temporal: await useTemporal() });
    const account = await world.account();
    const [dropletId = 0] = await world.droplets(account, 1);
    const address = await account.reserve(world.region);
    for (let round = 0; round < 20; round++) {
      const assigned = await client.assign({ accountId: account.id, address, dropletId });
      expect(assigned.decision.kind, `assign ${round}`).toBe('admitted');
      await account.completed({ id: assigned.decision.kind === 'admitted' ? assigned.decision.actionId : 0 });
      const unassigned = await client.unassign({ accountId: account.id, address });
      expect(unassigned.decision.kind, `unassign ${round}`).toBe('admitted');
      await account.completed({ id: unassigned.decision.kind === 'admitted' ? unassigned.decision.actionId : 0 });
    }
  });

  test('gives a rejection as the decision, and completes as rejected', async () => {
    const world = await useWorld({ agents: 0 });
    const client = createReservedIpClient({ temporal: await useTemporal() });
    const account = await world.account();
    const address = await account.reserve(world.region);

    const rejected = await client.unassign({ accountId: account.id, address });

    expect(rejected.decision).toMatchObject({ kind: 'refused', refusal: 'not_assigned' });
    expect(await rejected.completed()).toMatchObject({ kind: 'refused', refusal: 'not_assigned' });
  });

  test('is rejected as pending while another operation on the address is open', async () => {
    const world = await useWorld({ agents: 0, manualHosts: 1 });
    const client = createReservedIpClient({ temporal: await useTemporal() });
    const account = await world.account();
    const [dropletId = 0] = await world.droplets(account, 1);
    const address = await account.reserve(world.region);
    const open = await account.startAssign(address, dropletId);

    expect((await client.release({ accountId: account.id, address })).decision).toMatchObject({
      kind: 'refused',
      refusal: 'address_pending',
    });
    await world.manualHosts[0]?.confirm(address, 'attach');
    await account.completed(open);
  });

  test('throws from completed() when the operation errored and was undone', async () => {
    const world = await useWorld({ agents: 1 });
    world.agents[0]?.driver.failNext(Number.POSITIVE_INFINITY);
    const client = createReservedIpClient({ temporal: await useTemporal() });
    const account = await world.account();
    const [dropletId = 0] = await world.droplets(account, 1);
    const address = await account.reserve(world.region);

    const assigned = await client.assign({ accountId: account.id, address, dropletId });

    await expect(assigned.completed()).rejects.toBeInstanceOf(WorkflowFailedError);
    expect(await account.show(address)).toMatchObject({ droplet: null, locked: false });
  });

  test('throws OperationUnavailableError when no decision can come in time', async () => {
    const world = await useWorld({ agents: 0 });
    const account = await world.account();
    const address = await account.reserve(world.region);
    const client = createReservedIpClient({ temporal: await useTemporal(), admissionWindowMs: 1 });

    await expect(client.release({ accountId: account.id, address })).rejects.toBeInstanceOf(OperationUnavailableError);
    expect(await account.show(address)).toMatchObject({ locked: false });
  });
});
