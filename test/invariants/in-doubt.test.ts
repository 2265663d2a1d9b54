import { expect, inject, onTestFinished, test, vi } from 'vitest';
import { z } from 'zod';
import { createAdmissionDesk } from '../../api/admission-desk.ts';
import type { AdmissionDesk } from '../../client/admission-desk.ts';
import { createReservedIpClient, OperationInDoubtError, OperationUnavailableError } from '../../client/index.ts';
import { useApp } from '../support/app.ts';
import { useDatabase } from '../support/database.ts';
import { expectAnswer } from '../support/http.ts';
import { operationRules } from '../support/operation-rules.ts';
import { useTemporal } from '../support/temporal.ts';
import { useWorld } from '../support/world.ts';

const RULES = operationRules(1);
const lost = () => Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });

/** The API's desk over the real database, which never hears what came of a commit. */
function deskWithLostAnswers(): AdmissionDesk {
  const desk = createAdmissionDesk(useDatabase(), RULES);
  return {
    ...desk,
    async admit(operation, started) {
      await desk.admit(operation, started);
      throw lost();
    },
  };
}

test('a commit whose answer was lost is answered as what it did', async () => {
  const world = await useWorld({ agents: 1 });
  const account = await world.account();
  const [dropletId = 0] = await world.droplets(account, 1);
  const address = await account.reserve(world.region);
  const client = createReservedIpClient({ temporal: await useTemporal(), desk: deskWithLostAnswers() });

  const handle = await client.assign({ accountId: account.id, address, dropletId });

  expect(handle.verdict).toMatchObject({ kind: 'admitted', address });
  await handle.completed();
  expect(await account.show(address)).toMatchObject({ droplet: { id: dropletId } });
});

test('what nobody can tell is in doubt, and nobody is told that it did not happen', async () => {
  const world = await useWorld({ agents: 1 });
  const account = await world.account();
  const [dropletId = 0] = await world.droplets(account, 1);
  const address = await account.reserve(world.region);
  const desk = { ...deskWithLostAnswers(), seal: () => Promise.reject(lost()) };
  const client = createReservedIpClient({ temporal: await useTemporal(), desk });

  const assigning = client.assign({ accountId: account.id, address, dropletId });

  await expect(assigning).rejects.toBeInstanceOf(OperationInDoubtError);
  expect((await account.show(address)).droplet, 'it did happen').toEqual(expect.objectContaining({ id: dropletId }));
});

test('an operation in the way that neither holds the fence nor closes is no pending event: the answer is 503', async () => {
  const world = await useWorld({ agents: 1 });
  const account = await world.account();
  const [dropletId = 0] = await world.droplets(account, 1);
  const address = await account.reserve(world.region);
  const temporal = await useTemporal();
  const workflowId = `reserved-ip/${address}`;
  const stuck = await temporal.workflow.start('assign', { taskQueue: 'nobody', workflowId });
  onTestFinished(async () => {
    await stuck.terminate();
  });

  const answer = await account.at(inject('stack').secondApiUrl).requestAssign(address, dropletId);

  expect(answer).toMatchObject({ status: 503, body: { message: expect.stringContaining('Nothing was changed') } });
  expect(answer.headers.get('retry-after')).toBe('1');
  expect(await account.show(address)).toMatchObject({ droplet: null, locked: false });
});

test('an internal service whose answer was lost gets the verdict from the operation itself', async () => {
  const world = await useWorld({ agents: 0, manualHosts: 1 });
  const account = await world.account();
  const [dropletId = 0] = await world.droplets(account, 1);
  const address = await account.reserve(world.region);
  const temporal = await useTemporal();
  const { workflow } = temporal;
  const ask = workflow.executeUpdateWithStart.bind(workflow);
  vi.spyOn(workflow, 'executeUpdateWithStart').mockImplementationOnce(async (...request) => {
    await ask(...request);
    throw new Error('the answer was lost');
  });
  const client = createReservedIpClient({ temporal, admissionWindowMs: 3_000 });

  const handle = await client.assign({ accountId: account.id, address, dropletId });

  expect(handle.verdict).toMatchObject({ kind: 'admitted', address });
  await world.manualHosts[0]?.confirm(address, 'attach');
  await account.completed({ id: handle.verdict.kind === 'admitted' ? handle.verdict.actionId : 0 });
});

test.each(['/v2/reserved_ips', '/v2/reserved_ipv6'])(
  'a reservation (%s) that was given back before its answer was written is answered as it was made',
  async (path) => {
    const world = await useWorld({ agents: 0, ipv6PrefixLength: 124 });
    const account = await world.account();
    const client = createReservedIpClient({ temporal: await useTemporal() });
    const app = await useApp({
      client: {
        ...client,
        async reserve(request) {
          const handle = await client.reserve(request);
          if (handle.verdict.kind === 'refused') throw new Error(handle.verdict.refusal);
          await handle.completed();
          const { accountId } = request;
          await (await client.release({ accountId, address: handle.verdict.address })).completed();
          return handle;
        },
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
  const world = await useWorld({ agents: 1, ipv6PrefixLength: 124 });
  const account = await world.account();
  const [dropletId = 0] = await world.droplets(account, 1);
  const [address, ipv6] = [await account.reserve(world.region), await account.reserveIpv6(world.region)];
  await account.assign(address, dropletId);
  await account.assign(ipv6, dropletId);
  const client = createReservedIpClient({ temporal: await useTemporal() });
  const app = await useApp({
    client: {
      ...client,
      unassign: (request) =>
        request.address === ipv6
          ? Promise.reject(new OperationUnavailableError('unstarted', new Error('Temporal is away')))
          : client.unassign(request),
    },
  });

  const authorization = { authorization: `Bearer ${account.http.token}` };
  const answer = await app.request(`/v2/droplets/${dropletId}`, { method: 'DELETE', headers: authorization });

  expect(await answer.json()).toMatchObject({ message: expect.stringContaining('It is not known whether') });
  expect(answer.status).toBe(504);
  expect(await account.showIpv6(ipv6)).toMatchObject({ droplet: { id: dropletId } });
  expect((await account.http.delete(`/v2/droplets/${dropletId}`)).status, 'it can be carried on').toBe(204);
});

test('a droplet that was destroyed before a repeated request for it was answered is answered as it was made', async () => {
  const world = await useWorld({ agents: 1 });
  const account = await world.account();
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
