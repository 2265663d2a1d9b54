import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { createAdmission } from '../../admission/admission.ts';
import { assignOperation, reserveOperation, unassignOperation } from '../../client/operations.ts';
import { type OpenOperation, openOperations } from '../../db/checked-operations.ts';
import type { Database } from '../../db/database.ts';
import { addToOutbox, removeFromOutbox, takeDueOperations } from '../../db/outbox.ts';
import { until } from '../../dev/kit/until.ts';
import type { Admitted } from '../../domain/decision.ts';
import type { OperationId } from '../../domain/identifiers.ts';
import type { Operation } from '../../domain/operation.ts';
import { reconcile } from '../../outbox/reconciler.ts';
import { OperationStarter } from '../../outbox/starter.ts';
import { RULES, TIMEOUTS } from '../support/app.ts';
import { useTopicReader } from '../support/billing-topic.ts';
import { useDatabase } from '../support/database.ts';
import { useCustomer } from '../support/reserved.ts';
import { runningOperation, useTemporal } from '../support/temporal.ts';
import { useWorld, type World } from '../support/world.ts';

const logger = pino({ level: 'silent' });

/** A process that dies after each commit, before it starts anything. */
function useAbandoningAdmission() {
  const db = useDatabase();
  const abandoned: { operation: Operation; admitted: Admitted }[] = [];
  const admit = createAdmission({
    db,
    rules: RULES,
    notifyHosts: () => {},
    start: (operation, admitted) => abandoned.push({ operation, admitted }),
  });
  return { db, admit, abandoned };
}

async function usePlace(world: World) {
  const account = await world.account();
  const [dropletId = 0] = await world.droplets(account, 1);
  return { account, dropletId, address: await account.reserve(world.region) };
}

/** As the scheduled reconciler sees it; null when it is not open. */
async function findOpen(db: Database, id: OperationId): Promise<OpenOperation | null> {
  for await (const page of openOperations(db)) {
    const open = page.find(({ operationId }) => operationId === id);
    if (open) return open;
  }
  return null;
}

describe('an operation whose process died between the commit and the start', () => {
  test('is started by another process, and leaves the outbox', async () => {
    const world = await useWorld({ agents: 1 });
    const { account, dropletId, address } = await usePlace(world);
    const { db, admit, abandoned } = useAbandoningAdmission();

    const operation = assignOperation({ accountId: account.id, address, dropletId });
    await admit(operation, { mayBeRepeated: false });

    expect(abandoned).toHaveLength(1);
    await account.completed({ id: abandoned[0]?.admitted.actionId ?? 0 });
    const waiting = () => db.selectFrom('outbox').select('due_at').where('operation_id', '=', operation.id).execute();
    await until('it has left the outbox', async () => (await waiting()).length === 0, 10_000);
  });

  test('is known to the scheduled reconciler as one that is still to be started', async () => {
    const world = await useWorld({ agents: 0, manualHosts: 1 });
    const { account, dropletId, address } = await usePlace(world);
    const { db, admit } = useAbandoningAdmission();

    const operation = assignOperation({ accountId: account.id, address, dropletId });
    await admit(operation, { mayBeRepeated: false });

    expect(await findOpen(db, operation.id)).toMatchObject({ waitsForStart: true });
    await until('it is started', async () => (await findOpen(db, operation.id))?.waitsForStart === false);
  });

  test('is started too when its admission has settled everything but the billing', async () => {
    const { world, account } = await useCustomer({ agents: 0 });
    const { admit, abandoned } = useAbandoningAdmission();
    const topic = await useTopicReader();

    await admit(reserveOperation({ accountId: account.id, target: { region: world.region, dropletId: null } }), {
      mayBeRepeated: false,
    });

    const id = `action-${abandoned[0]?.admitted.actionId}`;
    await until('it is billed', async () => topic.all.some(({ event }) => event.id === id), 20_000);
  });
});

describe('an operation that is started twice', () => {
  test('is done once, also when both starts come at the same moment', async () => {
    const world = await useWorld({ agents: 1 });
    const { account, dropletId, address } = await usePlace(world);
    const { db, admit, abandoned } = useAbandoningAdmission();
    const temporal = await useTemporal();
    await admit(assignOperation({ accountId: account.id, address, dropletId }), { mayBeRepeated: false });
    const [{ operation, admitted } = { operation: null, admitted: null }] = abandoned;
    if (!operation || !admitted) throw new Error('nothing was admitted');
    const starters = [1, 2, 3].map(() => new OperationStarter({ db, temporal, logger, timeouts: TIMEOUTS }));

    const outcomes = await Promise.all(starters.map((starter) => starter.start(operation, admitted)));
    await Promise.all(starters.map((starter) => starter.close()));

    expect(outcomes.filter(({ kind }) => kind === 'left')).toEqual([]);
    await account.completed({ id: admitted.actionId });
    expect(await account.show(address)).toMatchObject({ droplet: { id: dropletId }, locked: false });
  });

  test('changes nothing while the next operation of the address runs', async () => {
    const world = await useWorld({ agents: 0, manualHosts: 1 });
    const [host] = world.manualHosts;
    const { account, dropletId, address } = await usePlace(world);
    const { db, admit, abandoned } = useAbandoningAdmission();
    const temporal = await useTemporal();
    const starter = new OperationStarter({ db, temporal, logger, timeouts: TIMEOUTS, closingMs: 500 });
    await admit(assignOperation({ accountId: account.id, address, dropletId }), { mayBeRepeated: false });
    const [first] = abandoned;
    if (!first) throw new Error('nothing was admitted');
    await starter.start(first.operation, first.admitted);
    await host?.confirm(address, 'attach');
    await account.completed({ id: first.admitted.actionId });

    const next = await account.startUnassign(address);
    await runningOperation(temporal, address, 'unassign');
    const again = await starter.start(first.operation, first.admitted);
    expect(again.kind).not.toBe('started');
    await host?.confirm(address, 'detach');
    await account.completed(next);
    // Now nothing is in its way, and it still changes nothing.
    await until(
      'it was started again',
      async () => (await starter.start(first.operation, first.admitted)).kind === 'started',
      10_000,
    );
    await temporal.workflow.getHandle(`reserved-ip/${address}`).result();
    await starter.close();

    expect(await account.show(address)).toMatchObject({ droplet: null, locked: false });
  });
});

describe('the outbox', () => {
  test('gives each operation to one process at a time', async () => {
    const world = await useWorld({ agents: 0, manualHosts: 1 });
    const { account, dropletId, address } = await usePlace(world);
    const { db, admit, abandoned } = useAbandoningAdmission();
    await admit(assignOperation({ accountId: account.id, address, dropletId }), { mayBeRepeated: false });
    await admit(unassignOperation({ accountId: account.id, address }), { mayBeRepeated: false });
    const id = abandoned[0]?.operation.id ?? '';
    await removeFromOutbox(db, [id]);
    await addToOutbox(db, [id]);

    const takes = await Promise.all(
      Array.from({ length: 8 }, () => takeDueOperations(db, { limit: 100, leaseSeconds: 60 })),
    );

    const taken = takes.flat().filter(({ operation }) => operation.id === id);
    expect(taken.length, 'the processes of the environment look too').toBeLessThanOrEqual(1);
  });

  test('drops an operation that has ended meanwhile without starting it', async () => {
    const world = await useWorld({ agents: 1 });
    const { account, dropletId, address } = await usePlace(world);
    const action = await account.startAssign(address, dropletId);
    await account.completed(action);
    const db = useDatabase();
    const temporal = await useTemporal();
    const { operation_id: id } = await db
      .selectFrom('actions')
      .select('operation_id')
      .where('id', '=', action.id)
      .executeTakeFirstOrThrow();
    const handle = temporal.workflow.getHandle(`reserved-ip/${address}`);
    await handle.result();
    const { runId } = await handle.describe();

    await addToOutbox(db, [id ?? '']);
    const waiting = () =>
      db
        .selectFrom('outbox')
        .select('due_at')
        .where('operation_id', '=', id ?? '')
        .execute();
    await until('it has left the outbox', async () => (await waiting()).length === 0, 10_000);

    expect((await handle.describe()).runId).toBe(runId);
  });

  test('is read again after MySQL was away', async () => {
    const stopping = new AbortController();
    const away = useDatabase({ url: 'mysql://nobody@127.0.0.1:1/nothing' });
    const temporal = await useTemporal();
    const starter = new OperationStarter({ db: away, temporal, logger, timeouts: TIMEOUTS });

    const reconciling = reconcile({ db: away, starter, logger, signal: stopping.signal });
    stopping.abort();

    await expect(reconciling).resolves.toBeUndefined();
  });
});
