import { beforeAll, describe, expect, inject, test } from 'vitest';
import type { Account } from '../../dev/kit/account.ts';
import { until } from '../../dev/kit/until.ts';
import { useTopicReader } from '../support/billing-topic.ts';
import { useLink } from '../support/link.ts';
import { createPrivateEnvironment, type PrivateEnvironment } from '../support/private-environment.ts';
import { useReserved } from '../support/reserved.ts';

const BILLING_BUDGET_MS = 1_000;

let environment: PrivateEnvironment;
beforeAll(async () => {
  environment = await createPrivateEnvironment();
  return environment.close;
});

describe('while Kafka accepts connections and says nothing', () => {
  test('no customer waits for it, and every event is published under its id once it speaks again', async () => {
    const reader = await useTopicReader();
    const { account, droplets, ip } = await useReserved({ agents: 2, apiUrl: environment.apiUrl, droplets: 2 });
    const worker = await environment.startWorker();
    const usual = await millisecondsOf(account, ip, droplets);
    await worker.stop();

    const link = await useLink(inject('environment').kafkaBrokers);
    link.become('silent');
    await environment.startWorker({ settings: { KAFKA_BROKERS: link.address } });
    const first = await millisecondsOf(account, ip, droplets);
    const then = await millisecondsOf(account, ip, droplets);

    expect(first.total - usual.total, 'the first operation may spend the budget').toBeLessThan(
      2 * BILLING_BUDGET_MS + 1_000,
    );
    expect(then.total - usual.total, 'those after it do not even try').toBeLessThan(BILLING_BUDGET_MS);
    const ids = [...first.actions, ...then.actions].map((id) => `action-${id}`);
    const statusOf = async (id: string) => {
      const child = await environment.temporal.workflow.getHandle(`billing/${id}`).describe();
      return child.status.name;
    };
    for (const id of ids) {
      await until(`${id} had a workflow of its own`, async () => (await statusOf(id).catch(() => '')) === 'RUNNING');
    }
    expect(await account.show(ip)).toMatchObject({ droplet: null, locked: false });
    await until('the operation itself had ended', async () => {
      const { status } = await environment.temporal.workflow.getHandle(`reserved-ip/${ip}`).describe();
      return status.name === 'COMPLETED';
    });

    link.become('open');

    const settled = 1 + usual.actions.length + ids.length;
    const messages = await reader.settled(ip, settled);
    const published = new Set(messages.map(({ event }) => event.id));
    expect(published.size).toBe(settled);
    for (const id of ids) {
      expect(published).toContain(id);
      await until(`the workflow of ${id} ended`, async () => (await statusOf(id)) === 'COMPLETED');
    }
  });
});

/** How long an assign, a reassign and an unassign take one after the other, and their numbers. */
async function millisecondsOf(account: Account, ip: string, [first = 0, second = 0]: number[]) {
  const startedAt = performance.now();
  const actions = [await account.assign(ip, first), await account.assign(ip, second), await account.unassign(ip)];
  return { total: performance.now() - startedAt, actions: actions.map(({ id }) => id) };
}
