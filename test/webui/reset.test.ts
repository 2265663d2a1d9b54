import { describe, expect, test } from 'vitest';
import type { Account, Action } from '../../dev/kit/account.ts';
import { until } from '../../dev/kit/until.ts';
import { useTopicReader } from '../support/billing-topic.ts';
import { checkAccounts } from '../support/consistency.ts';
import { useDatabase } from '../support/database.ts';
import { useReserved } from '../support/reserved.ts';
import { useTemporal } from '../support/temporal.ts';
import { type AgentHost, useWorld, type World } from '../support/world.ts';
import { HAS_WEB_UI, useWebUi } from './use-web-ui.ts';

describe.skipIf(!HAS_WEB_UI)('a reset in the Web UI', { timeout: 240_000 }, () => {
  const webUi = useWebUi();

  test('of a failed assign carries it through once its host is repaired: errored becomes completed', async () => {
    const { account, ip, action, host, droplet } = await failedAssign();
    const list = await webUi().list(`WorkflowId = 'reserved-ip/${ip}' AND ExecutionStatus = 'Failed'`);
    const [listed, ...others] = await list.runs();
    if (!listed) throw new Error('nothing is listed');
    expect(others).toEqual([]);
    const failed = await list.open(listed);
    expect(await failed.status()).toBe('Failed');
    expect(await failed.result()).toContain(`Fix host ${host.name}, then reset this workflow to retry`);

    host.driver.failNext(0);
    const carried = await failed.reset('first', `${host.name} is repaired`);

    expect(await carried.ended()).toBe('Completed');
    expect(await account.action(action.id)).toMatchObject({ status: 'completed' });
    expect(await account.show(ip)).toMatchObject({ droplet: { id: droplet }, locked: false });
    expect(host.driver.attachments.get(ip)).toMatchObject({ dropletId: droplet });
    expect(await violations(account)).toEqual([]);
  });

  test('to the last event instead of the first fails as before and changes nothing', async () => {
    const { account, ip, action, host, droplet } = await failedAssign();
    host.driver.failNext(0);

    const useless = await (await webUi().open(`reserved-ip/${ip}`)).reset('last', 'the wrong event');

    expect(await useless.ended()).toBe('Failed');
    expect(await useless.result()).toContain('The operation was undone');
    expect(await account.action(action.id)).toMatchObject({ status: 'errored' });
    expect(await account.show(ip)).toMatchObject({ droplet: null, locked: false });
    const carried = await useless.reset('first', 'the right one');
    expect(await carried.ended()).toBe('Completed');
    expect(await account.action(action.id)).toMatchObject({ status: 'completed' });
    expect(await account.show(ip)).toMatchObject({ droplet: { id: droplet }, locked: false });
    expect(await violations(account)).toEqual([]);
  });

  test('of a run that another action has superseded is rejected by the fence', async () => {
    const { world, account, ip, action, host } = await failedAssign();
    const failed = await webUi().open(`reserved-ip/${ip}`);
    host.driver.failNext(0);
    const [other = 0] = await world.droplets(account, 1);
    const newer = await account.assign(ip, other);

    const rejected = await failed.reset('first', 'too late');

    expect(await rejected.ended()).toBe('Failed');
    expect(await rejected.result()).toContain(`superseded by action ${newer.id}`);
    expect(await account.action(action.id)).toMatchObject({ status: 'errored' });
    expect(await account.action(newer.id)).toEqual(newer);
    expect(await account.show(ip)).toMatchObject({ droplet: { id: other }, locked: false });
    expect(await violations(account)).toEqual([]);
  });

  test('of a completed run, to whichever event, changes nothing and bills nothing again', async () => {
    const { account, ip, droplet } = await useReserved({ agents: 1 });
    const action = await account.assign(ip, droplet);
    const before = await account.show(ip);
    const completed = await webUi().open(`reserved-ip/${ip}`);
    expect(await completed.ended()).toBe('Completed');
    const topic = await useTopicReader();

    const first = await completed.reset('first', 'by mistake');
    expect(await first.ended()).toBe('Completed');
    const last = await first.reset('last', 'by mistake');
    expect(await last.ended()).toBe('Completed');

    expect(await account.action(action.id)).toEqual(action);
    expect(await account.show(ip)).toEqual(before);
    const events = (await topic.settled(ip, 2)).map(({ event }) => event);
    expect(new Set(events.map(({ id }) => id)).size).toBe(2);
    expect(new Set(events.map((event) => JSON.stringify(event))).size).toBe(2);
    expect(await violations(account)).toEqual([]);
  });

  test('of a run that waits for its host, to whichever event, waits on and is carried through', async () => {
    const { world, account, ip, droplet } = await useReserved({ agents: 0, manualHosts: 1 });
    const [host] = world.manualHosts;
    await account.assignBy(host, ip, droplet);
    await account.release(ip);
    const waiting = await webUi().open(`reserved-ip/${ip}`);
    expect(await waiting.status()).toBe('Running');

    const last = await waiting.reset('last', 'to see whether it helps');
    const first = await last.reset('first', 'to see whether it helps');
    expect(await first.status()).toBe('Running');
    await host?.confirm(ip, 'detach');

    expect(await first.ended()).toBe('Completed');
    expect(await violations(account)).toEqual([]);
  });
});

interface FailedAssign {
  world: World;
  account: Account;
  host: AgentHost;
  ip: string;
  droplet: number;
  action: Action;
}

/** An assign that its host has rejected and that is undone; the host goes on rejecting. */
async function failedAssign(): Promise<FailedAssign> {
  const world = await useWorld({ agents: 1 });
  const [host] = world.agents;
  if (!host) throw new Error('no host');
  const account = await world.account();
  const [droplet = 0] = await world.droplets(account, 1);
  const ip = await account.reserve(world.region);
  host.driver.failNext(Number.POSITIVE_INFINITY);
  const action = await account.startAssign(ip, droplet);
  expect(await account.ended(action)).toMatchObject({ status: 'errored' });
  const temporal = await useTemporal();
  await until('the workflow had failed', async () => {
    const { status } = await temporal.workflow.getHandle(`reserved-ip/${ip}`).describe();
    return status.name === 'FAILED';
  });
  return { world, account, host, ip, droplet, action };
}

/** What the reconciler finds about an account. */
async function violations(account: Account): Promise<string[]> {
  return checkAccounts(useDatabase(), await useTemporal(), [account]);
}
