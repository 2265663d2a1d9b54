import { Client, Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { pino } from 'pino';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { createAdmission } from '../../../admission/admission.ts';
import { assignOperation } from '../../../client/operations.ts';
import type { Database } from '../../../db/database.ts';
import { removeFromOutbox } from '../../../db/outbox.ts';
import { freePort } from '../../../dev/environment/ports.ts';
import { until } from '../../../dev/kit/until.ts';
import type { Admitted } from '../../../domain/decision.ts';
import type { Operation } from '../../../domain/operation.ts';
import { OPERATION } from '../../../domain/search-attributes.ts';
import { OperationStarter } from '../../../outbox/starter.ts';
import { RULES, TIMEOUTS } from '../../support/app.ts';
import { useDatabase } from '../../support/database.ts';
import { useCustomer } from '../../support/reserved.ts';
import { useTemporal } from '../../support/temporal.ts';
import { onStart, onStarted } from './grpc.ts';
import { type Met, onAdmissionCommitted, onOutboxRemoval } from './mysql.ts';
import { openTaps } from './process-taps.ts';

const logger = pino({ level: 'silent' });

/** The servers of the environment, directly and through taps. */
async function useTaps() {
  const { mysqlUrl, temporalAddress } = inject('environment');
  const through = new URL(mysqlUrl);
  const [mysqlPort, temporalPort] = [await freePort(), await freePort()];
  const taps = await openTaps({
    mysql: { port: mysqlPort, upstreamPort: Number(through.port) },
    temporal: { port: temporalPort, upstreamPort: Number(temporalAddress.split(':')[1]) },
  });
  onTestFinished(async () => {
    await taps.mysql.enable(false);
    await taps.temporal.enable(false);
  });
  through.host = `127.0.0.1:${mysqlPort}`;
  return { taps, tappedDb: useDatabase({ url: through.href }), tappedAddress: `127.0.0.1:${temporalPort}` };
}

/** An assign that is to be admitted, of an address whose host never answers. */
async function useAssign() {
  const { world, account, droplet: dropletId } = await useCustomer({ agents: 0, manualHosts: 1, droplets: 1 });
  return assignOperation({ accountId: account.id, address: await account.reserve(world.region), dropletId });
}

/** Admits an operation whose workflow nobody starts. */
async function admitOnly(db: Database, operation: Operation): Promise<Admitted> {
  const admit = createAdmission({ db, rules: RULES, notifyHosts: () => {}, start: () => {} });
  const result = await admit(operation, { mayBeRepeated: false });
  if (result.kind !== 'admitted') throw new Error(`it was ${result.kind}`);
  await removeFromOutbox(db, [operation.id]);
  return result.admitted;
}

/** Holds what is met, and keeps the operations that it was about. */
function holding(met: string[]): Met {
  return (operationIds) => {
    met.push(...operationIds);
    return 'hold';
  };
}

/** A call, and whether it has ended. */
function usePending<Result>(call: Promise<Result>) {
  const pending = { call, ended: false };
  void call.finally(() => {
    pending.ended = true;
  });
  return pending;
}

test('the commit of an admission is met when it is committed and its process does not know', async () => {
  const { taps, tappedDb } = await useTaps();
  const db = useDatabase();
  const operation = await useAssign();
  const met: string[] = [];
  taps.mysql.watch(onAdmissionCommitted(holding(met)));

  const admitting = usePending(admitOnly(tappedDb, operation));
  await until('the commit is met', async () => met.length > 0);

  expect(met).toEqual([operation.id]);
  const stored = await db.selectFrom('operations').select('kind').where('id', '=', operation.id).execute();
  expect({ stored, ended: admitting.ended }).toEqual({ stored: [{ kind: 'assign' }], ended: false });
  taps.mysql.watch(null);
  await admitting.call;
});

describe.each([
  ['the API’s own connection', async (address: string) => Connection.connect({ address })],
  ['a worker’s connection, which compresses', async (address: string) => NativeConnection.connect({ address })],
])('a start over %s', (_, connect) => {
  async function useStarter() {
    const { taps, tappedDb, tappedAddress } = await useTaps();
    const connection = await connect(tappedAddress);
    onTestFinished(() => connection.close());
    const temporal = new Client({ connection });
    const starter = new OperationStarter({ db: tappedDb, temporal, logger, timeouts: TIMEOUTS });
    const operation = await useAssign();
    const admitted = await admitOnly(useDatabase(), operation);
    const direct = await useTemporal();
    const hasStarted = async () => {
      const handle = direct.workflow.getHandle(`reserved-ip/${admitted.address}`);
      const described = await handle.describe().catch(() => null);
      return described?.typedSearchAttributes.get(OPERATION) === operation.id;
    };
    return { taps, starter, operation, admitted, hasStarted };
  }

  test('is met before Temporal has it', async () => {
    const { taps, starter, operation, admitted, hasStarted } = await useStarter();
    const met: string[] = [];
    taps.temporal.watch(onStart(holding(met)));

    const starting = usePending(starter.start(operation, admitted));
    await until('the start is met', async () => met.length > 0);

    expect({ met, started: await hasStarted() }).toEqual({ met: [operation.id], started: false });
    taps.temporal.watch(null);
    expect((await starting.call).kind).toBe('started');
  });

  test('is met when Temporal has started it and its process does not know', async () => {
    const { taps, starter, operation, admitted, hasStarted } = await useStarter();
    const met: string[] = [];
    taps.temporal.watch(onStarted(holding(met)));

    const starting = usePending(starter.start(operation, admitted));
    await until('its answer is met', async () => met.length > 0);

    const seen = { met, started: await hasStarted(), ended: starting.ended };
    expect(seen).toEqual({ met: [operation.id], started: true, ended: false });
    taps.temporal.watch(null);
    expect((await starting.call).kind).toBe('started');
  });

  test('is followed by a removal from the outbox, which is met before MySQL has it', async () => {
    const { taps, starter, operation, admitted } = await useStarter();
    const met: string[] = [];
    taps.mysql.watch(onOutboxRemoval(holding(met)));

    await starter.start(operation, admitted);
    await until('the removal is met', async () => met.length > 0);

    expect(met).toEqual([operation.id]);
    taps.mysql.watch(null);
    await starter.close();
  });
});
