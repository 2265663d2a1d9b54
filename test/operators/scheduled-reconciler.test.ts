import { sql } from 'kysely';
import { pino } from 'pino';
import { beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { databaseTime } from '../../db/checked-operations.ts';
import { type Database, openDatabase } from '../../db/database.ts';
import { readOutboxState } from '../../db/outbox.ts';
import { freePort } from '../../dev/environment/ports.ts';
import { until } from '../../dev/kit/until.ts';
import { RECONCILER_SCHEDULE_ID } from '../../domain/names.ts';
import { FINDINGS } from '../../domain/search-attributes.ts';
import { checkChanges } from '../../ops/consistency/changes.ts';
import { checkConsistency } from '../../ops/consistency/check.ts';
import { takeUpOperations } from '../../ops/consistency/take-up.ts';
import { scheduleReconciler } from '../../ops/migrate/reconciler-schedule.ts';
import { useTopicReader } from '../support/billing-topic.ts';
import { useLink } from '../support/link.ts';
import { createPrivateEnvironment, type PrivateEnvironment } from '../support/private-environment.ts';
import { useCustomer } from '../support/reserved.ts';
import { resetToFirstTask, runningOperation } from '../support/temporal.ts';
import { useWorld } from '../support/world.ts';

/*
 * The reconciler as a schedule, over a database and a Temporal namespace of its own.
 */

const reportSchema = z.object({
  until: z.string(),
  open: z.int(),
  takenUp: z.array(z.string()),
  findings: z.int(),
  violations: z.array(z.object({ invariant: z.int(), subject: z.string() })),
  // Every reconciler seals what is old enough.
  sealed: z.object({ entries: z.int(), anchor: z.string().nullable() }),
});

let environment: PrivateEnvironment;
let db: Database;
let metricsAddress: string;
beforeAll(async () => {
  metricsAddress = `127.0.0.1:${await freePort()}`;
  const settings = { METRICS_ADDRESS: metricsAddress };
  environment = await createPrivateEnvironment({ ownDatabase: true, worker: true, settings });
  ({ db } = environment);
  // So seldom that it runs only when a test says so.
  await scheduleReconciler(environment.temporal, 86_400);
  return environment.close;
});

/**
 * Lets the schedule run the reconciler now, and answers what it reports and the id of its workflow. It leaves out what is in
 * the outbox, where an operation stays for a moment after its start.
 */
async function runReconciler() {
  await until('what was started has left the outbox', async () => (await readOutboxState(db)).waiting === 0);
  const schedule = environment.temporal.schedule.getHandle(RECONCILER_SCHEDULE_ID);
  const { info } = await schedule.describe();
  const before = info.numActionsTaken;
  await schedule.trigger();
  const workflowId = await until('the schedule has started a reconciler', async () => {
    const { numActionsTaken, recentActions } = (await schedule.describe()).info;
    return numActionsTaken > before ? recentActions.at(-1)?.action.workflow.workflowId : null;
  });
  return { workflowId, report: reportSchema.parse(await environment.temporal.workflow.getHandle(workflowId).result()) };
}

/** The value of a counter that Prometheus would find, summed up over the tags that are not named. */
async function metric(name: string, tag = ''): Promise<number> {
  const text = await (await fetch(`http://${metricsAddress}/metrics`)).text();
  const values = text.split('\n').filter((line) => line.startsWith(`${name}{`) && line.includes(tag));
  return values.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

async function useScene() {
  const { world, account } = await useCustomer({ agents: 0, manualHosts: 1, apiUrl: environment.apiUrl });
  const [droplet = 0, other = 0] = await world.droplets(account, 2);
  const [host] = world.manualHosts;
  if (!host) throw new Error('no host');
  const ip = await account.reserve(world.region);
  return { account, droplet, other, host, ip, handle: environment.temporal.workflow.getHandle(`reserved-ip/${ip}`) };
}

/** What the whole audit, as a command, says of this database; the billing topic has others' events too. */
async function violations() {
  const found = await checkConsistency({
    db,
    temporal: environment.temporal,
    kafka: { brokers: inject('environment').kafkaBrokers.split(',') },
    logger: pino({ level: 'silent' }),
    looks: 2,
  });
  return found.filter(({ detail }) => detail !== 'published, but nothing was settled');
}

describe('the scheduled reconciler', () => {
  test('takes up an operation whose workflow was terminated', async () => {
    const { account, droplet, host, ip, handle } = await useScene();
    const action = await account.startAssign(ip, droplet);
    await host.command(ip, 'attach');
    // Until then the worker is in the middle of a step that it would end, whatever has become of the workflow.
    await until('it waits where operators see it', async () => {
      const run = await runningOperation(environment.temporal, ip, 'assign');
      return (await run.describe()).raw.pendingActivities?.length === 1;
    });
    await handle.terminate('by hand');
    expect((await account.action(action.id)).status).toBe('in-progress');

    const { report } = await runReconciler();

    expect(report.takenUp).toEqual([`reserved-ip/${ip}`]);
    expect(await metric('reserved_ip_operations_taken_up')).toBe(1);
    await host.confirm(ip, 'attach');
    await account.completed(action);
    expect(await account.show(ip)).toMatchObject({ droplet: { id: droplet }, locked: false });
    await handle.result();
    expect((await runReconciler()).report).toMatchObject({ open: 0, takenUp: [], findings: 0 });
    expect(await violations()).toEqual([]);
  });

  test('takes up the newer operation that the reset of an older run has ended', async () => {
    const { account, droplet, other, host, ip, handle } = await useScene();
    const failed = await account.startAssign(ip, droplet);
    await host.command(ip, 'attach');
    await runningOperation(environment.temporal, ip, 'assign');
    const { runId } = await handle.describe();
    await handle.cancel();
    expect((await account.ended(failed)).status).toBe('errored');
    const newer = await account.startAssign(ip, other);
    const event = await host.command(ip, 'attach');
    await runningOperation(environment.temporal, ip, 'assign');

    const resurrected = await resetToFirstTask(environment.temporal, `reserved-ip/${ip}`, runId);
    await expect(
      environment.temporal.workflow.getHandle(`reserved-ip/${ip}`, resurrected).result(),
    ).rejects.toMatchObject({
      cause: { message: expect.stringContaining(`superseded by action ${newer.id}`) },
    });
    await host.acknowledge(event);
    expect((await account.action(newer.id)).status, 'nobody carries it through').toBe('in-progress');

    expect((await runReconciler()).report.takenUp).toEqual([`reserved-ip/${ip}`]);
    await account.completed(newer);
    expect(await account.show(ip)).toMatchObject({ droplet: { id: other }, locked: false });
    expect((await account.action(failed.id)).status).toBe('errored');
    await handle.result();
    expect(await violations()).toEqual([]);
  });

  test('has a change billed whose workflow was terminated between settling and billing', async () => {
    const { account, droplet, host, ip, handle } = await useScene();
    const reader = await useTopicReader();
    const link = await useLink(inject('environment').kafkaBrokers);
    link.become('silent');
    await environment.stopWorkers();
    const cutOff = await environment.startWorker({ settings: { KAFKA_BROKERS: link.address } });
    const action = await account.startAssign(ip, droplet);
    await host.confirm(ip, 'attach');
    await account.completed(action);
    await handle.terminate('by hand');
    await cutOff.stop();
    link.become('open');
    await environment.startWorker();
    // The reconciler leaves what may be on its way for half a minute; a minute ago it was settled, so to speak.
    const minuteAgo = new Date(Date.now() - 60_000);
    await db.updateTable('actions').set({ completed_at: minuteAgo }).where('id', '=', action.id).execute();
    expect(reader.about(ip).map((message) => message.event.id)).not.toContain(`action-${action.id}`);

    expect((await runReconciler()).report.takenUp).toContain(`action-${action.id}`);

    const messages = await reader.settled(ip, 2);
    expect(messages.map(({ event }) => event.id)).toContain(`action-${action.id}`);
    expect((await runReconciler()).report.takenUp).toEqual([]);
    expect(await violations()).toEqual([]);
  });

  test('shows what needs a person, and repairs nothing by guesswork', async () => {
    const { account, droplet, host, ip } = await useScene();
    await account.assignBy(host, ip, droplet);
    await until('it is closed', async () => (await account.show(ip)).locked === false);
    const region = (await useWorld({ agents: 0, apiUrl: environment.apiUrl })).region;
    const { id: elsewhere } = await db
      .selectFrom('regions')
      .select('id')
      .where('slug', '=', region)
      .executeTakeFirstOrThrow();
    const { id: home, address } = await db
      .selectFrom('addresses')
      .innerJoin('regions', 'regions.id', 'addresses.region_id')
      .select(['regions.id', 'addresses.address'])
      .where('addresses.droplet_id', '=', droplet)
      .executeTakeFirstOrThrow();
    const move = (regionId: number) =>
      db.updateTable('addresses').set({ region_id: regionId }).where('address', '=', address).execute();
    onTestFinished(async () => void (await move(home)));
    await move(elsewhere);

    const { workflowId, report } = await runReconciler();

    expect(report.violations).toEqual([expect.objectContaining({ invariant: 1, subject: ip })]);
    expect(await metric('reserved_ip_audit_findings', 'invariant="1"')).toBe(1);
    const { typedSearchAttributes } = await environment.temporal.workflow.getHandle(workflowId).describe();
    expect(typedSearchAttributes.get(FINDINGS)).toBe(1);
    expect(
      (await db.selectFrom('addresses').select('region_id').where('address', '=', address).executeTakeFirstOrThrow())
        .region_id,
    ).toBe(elsewhere);
  });

  test('looks at what has changed since the last one, and at nothing else', async () => {
    const { account, droplet, host, ip } = await useScene();
    await account.assignBy(host, ip, droplet);
    const longAgo = new Date(Date.now() - 7 * 86_400_000);
    await db
      .updateTable('actions')
      .set({ started_at: longAgo, completed_at: longAgo })
      .where('account_id', '=', account.id)
      .execute();
    const breakIt = (generation: number) =>
      db.updateTable('addresses').set({ generation }).where('droplet_id', '=', droplet).execute();
    const { generation } = await db
      .selectFrom('addresses')
      .select('generation')
      .where('droplet_id', '=', droplet)
      .executeTakeFirstOrThrow();
    onTestFinished(async () => void (await breakIt(generation)));
    await breakIt(0);

    expect((await runReconciler()).report.findings).toBe(0);
    expect(await violations(), 'the command looks at everything').toContainEqual(
      expect.objectContaining({ invariant: 3, subject: ip }),
    );
  });

  test('reads no more rows for one change among twice as many addresses and actions', async () => {
    const { account, droplet, host, ip, handle } = await useScene();
    const single = openDatabase({ url: environment.mysqlUrl, poolSize: 1 });
    onTestFinished(() => single.destroy());
    const since = await databaseTime(db);
    await account.assignBy(host, ip, droplet);
    await handle.result();
    const rowsRead = async () => {
      const { rows } = await sql<{ Value: string }>`SHOW SESSION STATUS LIKE 'Handler_read%'`.execute(single);
      return rows.reduce((sum, { Value }) => sum + Number(Value), 0);
    };
    const cost = async () => {
      const before = await rowsRead();
      await takeUpOperations({ db: single, temporal: environment.temporal });
      expect(await checkChanges({ db: single, since })).toEqual([]);
      return (await rowsRead()) - before;
    };
    const costAmong = async (addresses: number) => {
      const world = await useWorld({ agents: 0, prefixLength: 18, apiUrl: environment.apiUrl });
      const others = await world.account();
      for (let reserved = 0; reserved < 50; reserved++) await others.reserve(world.region);
      await db
        .updateTable('actions')
        .set({ started_at: new Date(0), completed_at: new Date(0) })
        .where('account_id', '=', others.id)
        .execute();
      // Fifty more actions of long ago for each, so that the optimizer has a reason to use its indexes.
      for (let doubled = 0; doubled < 6; doubled++) {
        await sql`
          INSERT INTO actions (account_id, address_id, address, region_id, type, resource_type, status, started_at, completed_at)
          SELECT account_id, address_id, address, region_id, type, resource_type, status, started_at, completed_at
          FROM actions WHERE account_id = ${others.id}`.execute(db);
      }
      const count = db.selectFrom('addresses').select((select) => select.fn.countAll<number>().as('count'));
      expect((await count.executeTakeFirstOrThrow()).count).toBeGreaterThan(addresses);
      return cost();
    };
    const amongSome = await costAmong(16_000);
    const amongTwiceAsMany = await costAmong(32_000);
    expect(amongTwiceAsMany, `${amongSome} among half as many`).toBeLessThanOrEqual(amongSome * 1.2);
  });
});
