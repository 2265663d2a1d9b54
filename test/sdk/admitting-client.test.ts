import { Client, Connection } from '@temporalio/client';
import { pino } from 'pino';
import { expect, inject, onTestFinished, test } from 'vitest';
import { openAdmittingClient } from '../../admission/client.ts';
import { parseWorkerConfiguration } from '../../workers/settings.ts';
import { operationRules, operationTimeouts } from '../../workers/worker.ts';
import { useDatabase } from '../support/database.ts';
import { useLink } from '../support/link.ts';
import { useWorld } from '../support/world.ts';

test('an operation that somebody else has started ends as itself, also when the address has moved on since', async () => {
  const world = await useWorld({ agents: 1 });
  const account = await world.account();
  const { id: accountId } = account;
  const [dropletId = 0] = await world.droplets(account, 1);
  const address = await account.reserve(world.region);
  const { temporal, client } = await useAdmittingClient();

  temporal.become('refusing');
  const assigned = await client.assign({ accountId, address, dropletId });
  if (assigned.decision.kind === 'refused') throw new Error(assigned.decision.refusal);
  const { actionId } = assigned.decision;
  const outcome = assigned.completed();
  await account.completed({ id: actionId });
  await account.unassign(address);
  temporal.become('open');

  expect(await outcome).toEqual({ kind: 'completed', actionId, address });
});

/** A client that reaches MySQL, and Temporal by a way that can be cut. */
async function useAdmittingClient() {
  const { temporalAddress, mysqlUrl, kafkaBrokers } = inject('environment');
  const link = await useLink(temporalAddress);
  const connection = await Connection.connect({ address: link.address });
  onTestFinished(() => connection.close());
  const configuration = parseWorkerConfiguration({
    MYSQL_URL: mysqlUrl,
    KAFKA_BROKERS: kafkaBrokers,
    TEMPORAL_ADDRESS: temporalAddress,
  });
  const client = openAdmittingClient({
    db: useDatabase(),
    temporal: new Client({ connection }),
    logger: pino({ level: 'silent' }),
    rules: operationRules(configuration),
    timeouts: operationTimeouts(configuration),
  });
  onTestFinished(() => client.close());
  return { temporal: link, client };
}
