import { pino } from 'pino';
import { expect, inject, onTestFinished, test } from 'vitest';
import { createAdmission } from '../../admission/admission.ts';
import { assignOperation, releaseOperation } from '../../client/operations.ts';
import { until } from '../../dev/kit/until.ts';
import type { Admitted } from '../../domain/decision.ts';
import type { Operation } from '../../domain/operation.ts';
import { OperationStarter } from '../../outbox/starter.ts';
import { openTemporalClient } from '../../platform/temporal/connection.ts';
import { RULES, TIMEOUTS } from '../support/app.ts';
import { useDatabase } from '../support/database.ts';
import { type LinkState, useLink } from '../support/link.ts';
import { useCustomer } from '../support/reserved.ts';

const logger = pino({ level: 'silent' });

/** What takes longer has asked Temporal, and not been answered. */
const AT_ONCE_MS = 300;

interface AdmittedOperation {
  operation: Operation;
  admitted: Admitted;
}

test.each<LinkState>(['refusing', 'silent'])(
  'a Temporal that is %s is asked by one start at a time, until it answers',
  async (state) => {
    const { world, account, droplet: dropletId } = await useCustomer({ agents: 1, droplets: 1 });
    const db = useDatabase();
    const admitted: AdmittedOperation[] = [];
    const admit = createAdmission({
      db,
      rules: RULES,
      notifyHosts: () => {},
      start: (operation, decision) => admitted.push({ operation, admitted: decision }),
    });
    const address = await account.reserve(world.region);
    await admit(assignOperation({ accountId: account.id, address, dropletId }), { mayBeRepeated: false });
    const other = await account.reserve(world.region);
    await admit(releaseOperation({ accountId: account.id, address: other }), { mayBeRepeated: false });
    const [first, second] = admitted;
    if (!first || !second) throw new Error('not both were admitted');

    const link = await useLink(inject('environment').temporalAddress);
    link.become(state);
    const temporal = openTemporalClient({ address: link.address, namespace: 'default', tls: null, codec: null });
    // It is not closed: the SDK tries some calls again on a timer that nobody can stop, which fails on a closed connection.
    const starter = new OperationStarter({ db, temporal, logger, timeouts: TIMEOUTS, startMs: 1_000 });
    onTestFinished(() => starter.close());

    expect(await starter.start(first.operation, first.admitted)).toEqual({ kind: 'left' });
    expect(starter.isTemporalAway).toBe(true);
    await until('it is asked again', async () => {
      const times = await Promise.all([first, second].map((one) => timeOf(starter, one)));
      const asked = times.filter((milliseconds) => milliseconds > AT_ONCE_MS);
      expect(asked.length, 'starts that ask').toBeLessThanOrEqual(1);
      return asked.length === 1;
    });

    link.become('open');
    await until(
      'it is started',
      async () => (await starter.start(second.operation, second.admitted)).kind !== 'left',
      20_000,
    );
    expect(starter.isTemporalAway).toBe(false);
  },
);

/** How long a start takes, in milliseconds. */
async function timeOf(starter: OperationStarter, { operation, admitted }: AdmittedOperation): Promise<number> {
  const startedAt = performance.now();
  await starter.start(operation, admitted);
  return performance.now() - startedAt;
}
