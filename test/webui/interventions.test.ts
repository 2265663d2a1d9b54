import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Account, Action } from '../support/account.ts';
import { auditAccounts } from '../support/audit.ts';
import { useDatabase } from '../support/database.ts';
import type { ManualHost, SeenHostEvent } from '../support/manual-host.ts';
import { createPrivateStack, type PrivateStack } from '../support/private-stack.ts';
import { useWorld } from '../support/world.ts';
import { HAS_WEB_UI, useWebUi } from './use-web-ui.ts';

describe.skipIf(!HAS_WEB_UI)('in the Web UI', () => {
  // Hosts are waited for longer than an operator takes to press a button.
  let stack: PrivateStack;
  beforeAll(async () => {
    stack = await createPrivateStack();
    await stack.startWorker();
  });
  afterAll(() => stack?.close());
  const webUi = useWebUi(() => stack.namespace);

  test('a cancelled assign is undone, and a reset carries it through', async () => {
    const { account, ip, action, host, event } = await waitingAssign(stack);
    const run = await webUi().open(`reserved-ip/${ip}`);
    expect(await run.pendingActivities()).toContain(`attach/${host.name}/`);
    expect(await run.metadata()).toContain(`waiting for ${host.name} to attach ${ip}`);

    await run.cancel();

    expect(await run.ended()).toBe('Failed');
    expect(await run.result()).toContain('cancelled by an operator; the operation was undone');
    expect(await account.action(action.id)).toMatchObject({ status: 'errored' });
    expect(await account.show(ip)).toMatchObject({ droplet: null, locked: false });
    const carried = await run.reset('first', 'it is wanted after all');
    await host.acknowledge(await host.event(ip, 'attach', event.sequence));
    expect(await carried.ended()).toBe('Completed');
    expect(await account.action(action.id)).toMatchObject({ status: 'completed' });
    expect(await violations(account)).toEqual([]);
  });

  test('a cancelled release goes on: what was released cannot be taken back', async () => {
    const { account, ip, host } = await waitingRelease(stack);
    const run = await webUi().open(`reserved-ip/${ip}`);

    await run.cancel();
    expect(await run.status()).toBe('Running');
    await host.confirm(ip, 'detach');

    expect(await run.ended()).toBe('Completed');
    expect(await violations(account)).toEqual([]);
  });

  test('a terminated assign keeps its fence and is reported, and a reset carries it through', async () => {
    const { account, ip, action, host } = await waitingAssign(stack);
    const run = await webUi().open(`reserved-ip/${ip}`);

    await run.terminate('by mistake');

    expect(await run.ended()).toBe('Terminated');
    await host.confirm(ip, 'attach');
    expect(await account.action(action.id)).toMatchObject({ status: 'in-progress' });
    expect(await account.requestUnassign(ip)).toMatchObject({ status: 422 });
    const reported = await auditAccounts(useDatabase(), stack.temporal, [account], 2);
    expect(reported).toEqual([expect.stringMatching(`invariant 2: ${ip}: .*is TERMINATED`)]);
    const carried = await run.reset('first', 'terminated by mistake');
    expect(await carried.ended()).toBe('Completed');
    expect(await account.action(action.id)).toMatchObject({ status: 'completed' });
    expect(await violations(account)).toEqual([]);
  });

  test('a signal, of which no workflow knows any, changes nothing', async () => {
    const { account, ip, action, host } = await waitingAssign(stack);
    const run = await webUi().open(`reserved-ip/${ip}`);

    await run.signal('completed');

    expect(await run.status()).toBe('Running');
    expect(await account.action(action.id)).toMatchObject({ status: 'in-progress' });
    await host.confirm(ip, 'attach');
    expect(await run.ended()).toBe('Completed');
    expect(await violations(account)).toEqual([]);
  });

  test('a failed assign that is started again like it was carries its own action through', async () => {
    const { account, ip, action, host, event } = await waitingAssign(stack);
    const run = await webUi().open(`reserved-ip/${ip}`);
    await run.cancel();
    expect(await run.ended()).toBe('Failed');

    expect(await run.startLikeThisOne()).toMatch(/success/);
    await host.acknowledge(await host.event(ip, 'attach', event.sequence));

    expect(await account.completed(action)).toMatchObject({ status: 'completed' });
    expect(await account.show(ip)).toMatchObject({ locked: false });
    expect(await violations(account)).toEqual([]);
  });

  test('an assign that is started a second time is refused under its id, and has one effect under another', async () => {
    const { account, ip, action, host } = await waitingAssign(stack);
    const run = await webUi().open(`reserved-ip/${ip}`);

    expect(await run.startLikeThisOne()).toMatch(/already/i);
    const other = `by-hand/${randomUUID()}`;
    expect(await (await webUi().open(`reserved-ip/${ip}`)).startLikeThisOne(other)).toMatch(/success/);
    const stray = await webUi().open(other);
    expect(await stray.pendingActivities()).toContain(`attach/${host.name}/`);
    await stray.terminate('one is enough');
    await host.confirm(ip, 'attach');

    expect(await account.completed(action)).toMatchObject({ status: 'completed' });
    expect(await violations(account)).toEqual([]);
  });

  test('a wait that is paused hears its host all the same', async () => {
    const { account, ip, host } = await waitingRelease(stack);
    const run = await webUi().open(`reserved-ip/${ip}`);

    await run.changePendingActivity('Pause');
    expect(await run.pendingActivities()).toContain('Paused');
    const event = await host.event(ip, 'detach');
    await host.acknowledge(event, 'failed', 'no link');
    await host.acknowledge(event, 'applied');

    expect(await run.ended()).toBe('Completed');
    expect(await violations(account)).toEqual([]);
  });

  /** What the audit finds about an account. */
  function violations(account: Account): Promise<string[]> {
    return auditAccounts(useDatabase(), stack.temporal, [account]);
  }
});

interface Waiting {
  account: Account;
  host: ManualHost;
  ip: string;
  action: Action;
  /** What the host was told first. */
  event: SeenHostEvent;
}

/** An assign that waits for a host whose answers the test decides. */
async function waitingAssign(stack: PrivateStack): Promise<Waiting> {
  const world = await useWorld({ agents: 0, manualHosts: 1, apiUrl: stack.apiUrl });
  const [host] = world.manualHosts;
  if (!host) throw new Error('no host');
  const account = await world.account();
  const [droplet = 0] = await world.droplets(account, 1);
  const ip = await account.reserve(world.region);
  const action = await account.startAssign(ip, droplet);
  const event = await host.event(ip, 'attach');
  return { account, host, ip, action, event };
}

/** A release that waits for such a host to let go. */
async function waitingRelease(stack: PrivateStack): Promise<Omit<Waiting, 'action' | 'event'>> {
  const { account, host, ip, action } = await waitingAssign(stack);
  await host.confirm(ip, 'attach');
  await account.completed(action);
  await account.release(ip);
  return { account, host, ip };
}
