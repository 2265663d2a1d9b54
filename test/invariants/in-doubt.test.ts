import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { z } from 'zod';
import { createReservedIpClient, OperationUnavailableError } from '../../client/index.ts';
import { assignOperation } from '../../client/operations.ts';
import { expectAnswer } from '../../dev/kit/http.ts';
import { useAdmission, useApp } from '../support/app.ts';
import { useDatabase } from '../support/database.ts';
import { useMysqlProxy } from '../support/link.ts';
import { useCustomer, useReserved } from '../support/reserved.ts';
import { useTemporal } from '../support/temporal.ts';

function actionsOf({ id }: { id: string }): Promise<{ id: number }[]> {
  return useDatabase().selectFrom('actions').select('id').where('operation_id', '=', id).execute();
}

test('a commit whose answer was lost is answered as what it did, and was done once', async () => {
  const { account, ip: address, droplet: dropletId } = await useReserved({ agents: 1 });
  const proxy = await useMysqlProxy(/signalled_at/);
  const { admit } = await useAdmission(proxy);
  const lost = proxy.dropNext({ answer: true, matching: /commit$/ });

  const operation = assignOperation({ accountId: account.id, address, dropletId });
  const result = await admit(operation, { mayBeRepeated: false });

  await lost;
  expect(result).toMatchObject({ kind: 'repeated', decision: { kind: 'admitted', address } });
  const actions = await actionsOf(operation);
  expect(actions).toHaveLength(1);
  await account.completed({ id: actions[0]?.id ?? 0 });
});

test('a commit that was lost before it arrived is made again, and nothing is doubled', async () => {
  const { account, ip: address, droplet: dropletId } = await useReserved({ agents: 1 });
  const proxy = await useMysqlProxy(/signalled_at/);
  const { admit } = await useAdmission(proxy);
  const lost = proxy.dropNext({ matching: /commit$/ });

  const operation = assignOperation({ accountId: account.id, address, dropletId });
  expect(await admit(operation, { mayBeRepeated: false })).toMatchObject({ kind: 'admitted' });

  await lost;
  expect(await actionsOf(operation)).toHaveLength(1);
});

test('what nobody can tell is 504, and the Idempotency-Key carries the operation on', async () => {
  const { account, ip: address, droplet: dropletId } = await useReserved({ agents: 1 });
  const proxy = await useMysqlProxy(/signalled_at/);
  const app = await useApp({ mysqlUrl: proxy.mysqlUrl });
  const request = () =>
    app.request(`/v2/reserved_ips/${address}/actions`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${account.http.token}`,
        'content-type': 'application/json',
        'idempotency-key': `in doubt ${address}`,
      },
      body: JSON.stringify({ type: 'assign', droplet_id: dropletId }),
    });
  const lost = proxy.dropNext({ answer: true, matching: /insert into actions/i }).then(() => proxy.cut());

  const answer = await request();

  await lost;
  expect(answer.status).toBe(504);
  expect(await answer.json()).toMatchObject({ message: expect.stringContaining('not known whether') });
  proxy.restore();
  const created = z.object({ action: z.object({ id: z.int() }) });
  // The process that was in doubt could not give the key up: its lease has to pass, as after a crash.
  const { action } = await vi.waitFor(
    async () => {
      const repeated = await request();
      expect(repeated.status).toBe(201);
      return created.parse(await repeated.json());
    },
    { timeout: 40_000, interval: 500 },
  );
  await account.completed(action);
  const actions = await account.http.get(`/v2/reserved_ips/${address}/actions`);
  const { actions: all } = expectAnswer(actions, 200, z.object({ actions: z.array(z.object({ type: z.string() })) }));
  expect(all.filter(({ type }) => type === 'assign_ip')).toHaveLength(1);
}, 90_000);

test('a request whose locks cannot be had in time is 503 and has changed nothing', async () => {
  const { account, ip: address, droplet: dropletId } = await useReserved({ agents: 1 });
  const db = useDatabase();
  const released = Promise.withResolvers<void>();
  const locked = Promise.withResolvers<void>();
  const holding = db.transaction().execute(async (tx) => {
    await tx.selectFrom('droplets').select('id').where('id', '=', dropletId).forUpdate().execute();
    locked.resolve();
    await released.promise;
  });
  await locked.promise;

  const answer = await account.requestAssign(address, dropletId);
  released.resolve();
  await holding;

  expect(answer).toMatchObject({ status: 503, body: { message: expect.stringContaining('Nothing was changed') } });
  expect(await account.show(address)).toMatchObject({ droplet: null, locked: false });
});

test('a run in the way that does not close delays nothing but the start: the request is accepted', async () => {
  const { account, ip: address, droplet: dropletId } = await useReserved({ agents: 1 });
  const temporal = await useTemporal();
  const workflowId = `reserved-ip/${address}`;
  const stuck = await temporal.workflow.start('assign', { taskQueue: 'nobody', workflowId });

  const action = await account.startAssign(address, dropletId);
  await sleep(1_500);
  expect(await account.show(address)).toMatchObject({ locked: true });
  await stuck.terminate();

  await account.completed(action);
  expect(await account.show(address)).toMatchObject({ droplet: { id: dropletId }, locked: false });
});

test('an internal service whose answer was lost gets the decision from the operation itself', async () => {
  const { world, account, ip: address, droplet: dropletId } = await useReserved({ agents: 0, manualHosts: 1 });
  const temporal = await useTemporal();
  const { workflow } = temporal;
  const ask = workflow.executeUpdateWithStart.bind(workflow);
  vi.spyOn(workflow, 'executeUpdateWithStart').mockImplementationOnce(async (...request) => {
    await ask(...request);
    throw new Error('the answer was lost');
  });
  const client = createReservedIpClient({ temporal, admissionWindowMs: 3_000 });

  const handle = await client.assign({ accountId: account.id, address, dropletId });

  expect(handle.decision).toMatchObject({ kind: 'admitted', address });
  await world.manualHosts[0]?.confirm(address, 'attach');
  await account.completed({ id: handle.decision.kind === 'admitted' ? handle.decision.actionId : 0 });
});

test.each(['/v2/reserved_ips', '/v2/reserved_ipv6'])(
  'a reservation (%s) that was given back before its answer was written is answered as it was made',
  async (path) => {
    const { world, account } = await useCustomer({ agents: 0, ipv6PrefixLength: 124 });
    const { admit } = await useAdmission();
    const app = await useApp({
      async admit(operation, options) {
        const result = await admit(operation, options);
        if (result.kind !== 'admitted') throw new Error(`not admitted: ${result.kind}`);
        const { address } = result.admitted;
        expect((await account.requestRelease(address)).status).toBe(204);
        // As the answer is after a commit that was in doubt.
        return { kind: 'repeated', decision: result.admitted };
      },
    });
    const body = JSON.stringify(path.endsWith('ipv6') ? { region_slug: world.region } : { region: world.region });
    const headers = { authorization: `Bearer ${account.http.token}`, 'content-type': 'application/json' };

    const answer = await app.request(path, { method: 'POST', headers, body });

    expect(answer.status).toBeLessThan(300);
    const [reserved] = Object.values(
      z.record(z.string(), z.looseObject({ ip: z.string().optional() })).parse(await answer.json()),
    );
    expect(reserved).toMatchObject({ ip: expect.any(String), droplet: null });
    const { ip } = reserved ?? {};
    expect((await account.http.get(`${path}/${ip}`)).status).toBe(404);
  },
);

test('the end of a droplet that stops half way, with one address off it, is not said to have changed nothing', async () => {
  const { world, account, droplet: dropletId } = await useCustomer({ agents: 1, ipv6PrefixLength: 124, droplets: 1 });
  const [address, ipv6] = [await account.reserve(world.region), await account.reserveIpv6(world.region)];
  await account.assign(address, dropletId);
  await account.assign(ipv6, dropletId);
  const { admit } = await useAdmission();
  const app = await useApp({
    admit: (operation, options) =>
      operation.kind !== 'reserve' && operation.address === ipv6
        ? Promise.reject(new OperationUnavailableError('unstarted', new Error('MySQL is away')))
        : admit(operation, options),
  });

  const authorization = { authorization: `Bearer ${account.http.token}` };
  const answer = await app.request(`/v2/droplets/${dropletId}`, { method: 'DELETE', headers: authorization });

  expect(await answer.json()).toMatchObject({ message: expect.stringContaining('It is not known whether') });
  expect(answer.status).toBe(504);
  expect(await account.showIpv6(ipv6)).toMatchObject({ droplet: { id: dropletId } });
  expect((await account.http.delete(`/v2/droplets/${dropletId}`)).status, 'it can be carried on').toBe(204);
});

test('a droplet that was destroyed before a repeated request for it was answered is answered as it was made', async () => {
  const { world, account } = await useCustomer({ agents: 1 });
  const body = { name: 'short-lived', region: world.region, size: 's-1vcpu-1gb', image: 'debian-12-x64' };
  const create = () => account.http.post('/v2/droplets', body, { headers: { 'idempotency-key': 'short-lived' } });
  const created = z.object({ droplet: z.object({ id: z.int() }) });
  const { droplet } = expectAnswer(await create(), 202, created);
  expect((await account.http.delete(`/v2/droplets/${droplet.id}`)).status).toBe(204);
  // As an API leaves it that was killed after it had made the droplet.
  await useDatabase()
    .updateTable('idempotency_keys')
    .set({ status: null, body: null, leased_until: new Date(Date.now() - 60_000) })
    .where('account_id', '=', account.id)
    .execute();

  expect(expectAnswer(await create(), 202, created).droplet.id).toBe(droplet.id);
});
