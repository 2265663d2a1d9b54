import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Account } from '../../dev/kit/account.ts';
import type { ManualHost } from '../../dev/kit/manual-host.ts';
import { ATTEMPT_SIGNAL } from '../../domain/attempt.ts';
import { RECONCILER_SCHEDULE_ID } from '../../domain/names.ts';
import { scheduleReconciler } from '../../ops/migrate/reconciler-schedule.ts';
import { checkAccounts } from '../support/consistency.ts';
import { createPrivateEnvironment, type PrivateEnvironment } from '../support/private-environment.ts';
import { useReserved } from '../support/reserved.ts';
import { runningOperation } from '../support/temporal.ts';
import { HAS_WEB_UI, useWebUi } from './use-web-ui.ts';

describe.skipIf(!HAS_WEB_UI)('in the Web UI', { timeout: 240_000 }, () => {
  // Hosts are waited for longer than an operator takes to press a button.
  let environment: PrivateEnvironment;
  beforeAll(async () => {
    // A database of its own, so that the reconciler takes up nothing of other tests. It is run when a test presses for it.
    environment = await createPrivateEnvironment({ ownDatabase: true, worker: true });
    await scheduleReconciler(environment.temporal, 86_400);
    return environment.close;
  });
  const webUi = useWebUi(() => environment.namespace);

  test('a cancelled assign is undone, and a reset carries it through', async () => {
    const { account, ip, action, host, run } = await waitingAssign();
    expect(await run.pendingActivities()).toContain(`attach/${host.name}/`);
    expect(await run.metadata()).toContain(`waiting for ${host.name} to attach ${ip}`);

    await run.cancel();

    expect(await run.ended()).toBe('Failed');
    expect(await run.result()).toContain('The operation was undone: cancelled by an operator');
    expect(await account.action(action.id)).toMatchObject({ status: 'errored' });
    expect(await account.show(ip)).toMatchObject({ droplet: null, locked: false });
    const told = await lastSequence(host);
    const carried = await run.reset('first', 'it is wanted after all');
    await host.acknowledge(await host.command(ip, 'attach', told));
    expect(await carried.ended()).toBe('Completed');
    expect(await account.action(action.id)).toMatchObject({ status: 'completed' });
    expect(await violations(account)).toEqual([]);
  });

  test('a cancelled release goes on: what was released cannot be taken back', async () => {
    const { account, ip, host, run } = await waitingRelease();

    await run.cancel();
    expect(await run.status()).toBe('Running');
    await host.confirm(ip, 'detach');

    expect(await run.ended()).toBe('Completed');
    expect(await violations(account)).toEqual([]);
  });

  test('a terminated assign keeps its fence, and the reconciler takes it up again', async () => {
    const { account, ip, action, host, run } = await waitingAssign();

    await run.terminate('by mistake');

    expect(await run.ended()).toBe('Terminated');
    await host.confirm(ip, 'attach');
    expect(await account.action(action.id)).toMatchObject({ status: 'in-progress' });
    expect(await account.requestUnassign(ip)).toMatchObject({ status: 422 });
    await webUi().triggerSchedule(RECONCILER_SCHEDULE_ID);
    expect(await account.completed(action)).toMatchObject({ status: 'completed' });
    expect(await violations(account)).toEqual([]);
  });

  test('a terminated assign that is reset is carried through', async () => {
    const { account, ip, action, host, run } = await waitingAssign();
    await run.terminate('by mistake');
    expect(await run.ended()).toBe('Terminated');

    const carried = await run.reset('first', 'terminated by mistake');
    await host.confirm(ip, 'attach');

    expect(await carried.ended()).toBe('Completed');
    expect(await account.action(action.id)).toMatchObject({ status: 'completed' });
    expect(await violations(account)).toEqual([]);
  });

  test('a reset of an old run that terminates a newer open one is noticed, and the newer one is taken up again', async () => {
    const { world, account, ip, action, host, run: old } = await waitingAssign();
    await old.cancel();
    expect(await old.ended()).toBe('Failed');
    const [other = 0] = await world.droplets(account, 1);
    const told = await lastSequence(host);
    const newer = await account.startAssign(ip, other);
    const newerEvent = await host.command(ip, 'attach', told);
    const open = await webUi().open(`reserved-ip/${ip}`);

    const rejected = await old.reset('first', 'the wrong run');

    expect(await rejected.ended()).toBe('Failed');
    expect(await rejected.result()).toContain(`superseded by action ${newer.id}`);
    expect(await open.ended()).toBe('Terminated');
    expect(await account.action(newer.id)).toMatchObject({ status: 'in-progress' });
    await webUi().triggerSchedule(RECONCILER_SCHEDULE_ID);
    await host.acknowledge(newerEvent);
    expect(await account.completed(newer)).toMatchObject({ status: 'completed' });
    expect(await account.action(action.id)).toMatchObject({ status: 'errored' });
    expect(await account.show(ip)).toMatchObject({ droplet: { id: other }, locked: false });
    expect(await violations(account)).toEqual([]);
  });

  test('a signal sent by hand, known or not, changes nothing', async () => {
    const { account, ip, action, host, run } = await waitingAssign();

    await run.signal('completed');
    await run.signal(ATTEMPT_SIGNAL);

    expect(await run.status()).toBe('Running');
    expect(await account.action(action.id)).toMatchObject({ status: 'in-progress' });
    await host.confirm(ip, 'attach');
    expect(await run.ended()).toBe('Completed');
    expect(await violations(account)).toEqual([]);
  });

  test('a failed assign that is started again like it was carries its own action through', async () => {
    const { account, ip, action, host, run } = await waitingAssign();
    await run.cancel();
    expect(await run.ended()).toBe('Failed');
    const told = await lastSequence(host);

    expect(await run.startLikeThisOne()).toMatch(/success/);
    await host.acknowledge(await host.command(ip, 'attach', told));

    expect(await account.completed(action)).toMatchObject({ status: 'completed' });
    expect(await account.show(ip)).toMatchObject({ locked: false });
    expect(await violations(account)).toEqual([]);
  });

  test('an assign that is started a second time is rejected under its id, and has one effect under another', async () => {
    const { account, ip, action, host, run } = await waitingAssign();

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
    const { account, ip, host, run } = await waitingRelease();

    await run.changePendingActivity('Pause');
    expect(await run.pendingActivities()).toContain('Paused');
    const event = await host.command(ip, 'detach');
    await host.acknowledge(event, 'failed', 'no link');
    await host.acknowledge(event, 'applied');

    expect(await run.ended()).toBe('Completed');
    expect(await violations(account)).toEqual([]);
  });

  /** What the consistency check finds about an account. */
  function violations(account: Account): Promise<string[]> {
    return checkAccounts(environment.db, environment.temporal, [account]);
  }

  /** An assign that waits for a host whose answers the test decides, as the Web UI shows it. */
  async function waitingAssign() {
    const { world, account, host, droplet, ip } = await useReserved({
      agents: 0,
      manualHosts: 1,
      apiUrl: environment.apiUrl,
    });
    const action = await account.startAssign(ip, droplet);
    await host.command(ip, 'attach');
    await runningOperation(environment.temporal, ip, 'assign');
    return { world, account, host, ip, action, run: await webUi().open(`reserved-ip/${ip}`) };
  }

  /** A release that waits for such a host to detach. */
  async function waitingRelease() {
    const { account, host, ip, action } = await waitingAssign();
    await host.confirm(ip, 'attach');
    await account.completed(action);
    await account.release(ip);
    await runningOperation(environment.temporal, ip, 'release');
    return { account, host, ip, run: await webUi().open(`reserved-ip/${ip}`) };
  }
});

/** How far a host has been told; what comes later is above it. */
async function lastSequence(host: ManualHost): Promise<number> {
  return Math.max(...(await host.openCommands()).map(({ sequence }) => sequence));
}
