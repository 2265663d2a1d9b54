import { randomInt } from 'node:crypto';
import { pino } from 'pino';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { createBillingPublisher } from '../../billing/publisher.ts';
import type { BillingChange } from '../../domain/billing.ts';
import { runProgram } from '../support/program.ts';

/** An account that no test makes, so that nothing but what is published here is about it. */
const ACCOUNT = randomInt(1_000_000_000, 2_000_000_000);
const NOVEMBER = ['--from', '2026-11-01', '--to', '2026-12-01'];

function change(kind: BillingChange['kind'], at: string, more: Partial<BillingChange> = {}): BillingChange {
  return {
    eventId: `${ACCOUNT}-${kind}-${at}`,
    kind,
    accountId: ACCOUNT,
    address: '203.0.113.1',
    region: 'nyc3',
    dropletId: kind === 'assigned' ? 5 : null,
    actionId: Date.parse(at) / 1_000,
    effectiveAt: at,
    ...more,
  };
}

async function publish(changes: BillingChange[]): Promise<void> {
  const publisher = createBillingPublisher({ brokers: brokers(), logger: pino({ level: 'silent' }) });
  try {
    for (const one of changes) await publisher.publish(one, { timeoutMs: 20_000 });
  } finally {
    await publisher.close();
  }
}

const brokers = () => inject('environment').kafkaBrokers.split(',');

function runStatement(programArguments: string[], kafkaBrokers = inject('environment').kafkaBrokers) {
  return runProgram('ops/billing-statement/main.ts', programArguments, {
    environment: { KAFKA_BROKERS: kafkaBrokers, LOG_LEVEL: 'silent' },
  });
}

describe('the billing statement', () => {
  beforeAll(async () => {
    const repeated = change('unassigned', '2025-11-01T12:00:00.000Z');
    await publish([
      change('reserved', '2025-11-01T00:00:00.000Z'),
      change('assigned', '2025-11-01T09:00:00.000Z'),
      repeated,
      change('released', '2025-11-01T13:30:00.000Z'),
      repeated,
      change('reserved', '2025-11-29T00:00:00.000Z', { address: '203.0.113.20', region: 'ams3' }),
    ]);
  });

  const november = ['--account', String(ACCOUNT), '--from', '2025-11-01T01:00:00Z', '--to', '2025-12-01'];

  test('shows hours and charge of each address, and drops repeats', async () => {
    const { code, stdout, stderr } = await runStatement(november);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(
      `Account ${ACCOUNT}, 2025-11-01T01:00:00.000Z to 2025-12-01T00:00:00.000Z, 0.007440 USD an hour`,
    );
    const rows = stdout.split('\n').map((line) => line.trim().split(/\s{2,}/));
    expect(rows).toContainEqual(['ADDRESS', 'REGION', 'TIMES', 'IDLE HOURS', 'USD']);
    expect(rows).toContainEqual(['203.0.113.1', 'nyc3', '2', '9.5000', '0.070680']);
    expect(rows).toContainEqual(['203.0.113.20', 'ams3', '1', '48.0000', '0.357120', 'still idle']);
    expect(rows).toContainEqual(expect.arrayContaining(['Total', '57.5000', '0.427800']));
    expect(stdout).toMatch(/\d+ repeated messages were dropped/);
  });

  test('is complete as JSON', async () => {
    const { code, stdout } = await runStatement([...november, '--rate', '1', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      account_id: ACCOUNT,
      rate_usd: '1.000000',
      charge_usd: '57.500000',
      addresses: [
        {
          address: '203.0.113.1',
          idle_hours: 9.5,
          charge_usd: '9.500000',
          intervals: [
            { from: '2025-11-01T01:00:00.000Z', to: '2025-11-01T09:00:00.000Z', open: false },
            { from: '2025-11-01T12:00:00.000Z', to: '2025-11-01T13:30:00.000Z', open: false },
          ],
        },
        { address: '203.0.113.20', region: 'ams3', idle_hours: 48, intervals: [{ open: true }] },
      ],
    });
  });

  test('of an account without events is empty', async () => {
    const { code, stdout } = await runStatement(['--account', '999999999', ...NOVEMBER, '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ addresses: [], charge_usd: '0.000000' });
  });

  test('rejects arguments that make no sense, and says which', async () => {
    const account = ['--account', '1'];
    const attempts: [programArguments: string[], complaint: string][] = [
      [NOVEMBER, '--account'],
      [[...account, '--from', '2026-11-01'], '--to'],
      [['--account', 'x', ...NOVEMBER], '--account'],
      [[...account, '--from', 'yesterday', '--to', '2026-12-01'], '--from'],
      [[...account, '--from', '2026-02-30', '--to', '2026-12-01'], '--from'],
      [[...account, '--from', '2026-12-01', '--to', '2026-11-01'], '--to'],
      [[...account, ...NOVEMBER, '--rate', 'cheap'], '--rate'],
      [[...account, ...NOVEMBER, '--currency', 'EUR'], '--currency'],
    ];
    for (const [programArguments, complaint] of attempts) {
      const { code, stdout, stderr } = await runStatement(programArguments);
      expect({ code, stdout }, programArguments.join(' ')).toEqual({ code: 1, stdout: '' });
      expect(stderr, programArguments.join(' ')).toContain(complaint);
    }
  });

  test('says that Kafka does not answer, and says nothing about hours', async () => {
    const { code, stdout, stderr } = await runStatement(['--account', '1', ...NOVEMBER], '127.0.0.1:1');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('Kafka at 127.0.0.1:1 cannot be used');
    expect(await runStatement(['--account', '1', ...NOVEMBER], '')).toMatchObject({ code: 1, stdout: '' });
  });
});
