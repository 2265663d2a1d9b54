import { randomInt } from 'node:crypto';
import { pino } from 'pino';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { type BillingPublisher, BillingUnavailableError, createBillingPublisher } from '../../billing/publisher.ts';
import { succeeds, until } from '../../dev/kit/until.ts';
import type { BillingChange } from '../../domain/billing.ts';
import { useTopicReader } from '../support/billing-topic.ts';
import { useLink } from '../support/link.ts';

const TIMEOUT_MS = 600;

/** A change of an address that no other test has. */
function newChange(address = `192.0.2.${randomInt(256)}/${randomInt(1_000_000_000)}`): BillingChange {
  const actionId = randomInt(1_000_000_000);
  return {
    eventId: `action-${actionId}`,
    kind: 'reserved',
    accountId: 1,
    address,
    region: 'nyc3',
    dropletId: null,
    actionId,
    effectiveAt: new Date().toISOString(),
  };
}

function usePublisher(brokers: string): BillingPublisher {
  const publisher = createBillingPublisher({ brokers: brokers.split(','), logger: pino({ level: 'silent' }) });
  onTestFinished(() => publisher.close());
  return publisher;
}

/** Milliseconds until it was rejected. */
async function rejectedAfter(publisher: BillingPublisher): Promise<number> {
  const startedAt = performance.now();
  await expect(publisher.publish(newChange(), { timeoutMs: TIMEOUT_MS })).rejects.toBeInstanceOf(
    BillingUnavailableError,
  );
  return performance.now() - startedAt;
}

describe('the publisher', () => {
  test('has an event on the topic when it says so, many at once included', async () => {
    const reader = await useTopicReader();
    const publisher = usePublisher(inject('environment').kafkaBrokers);
    const [{ address }, ...changes] = [newChange(), ...Array.from({ length: 60 }, () => newChange())];
    const same = changes.map((change) => ({ ...change, address }));

    await Promise.all(same.map((change) => publisher.publish(change, { timeoutMs: 20_000 })));

    const messages = await reader.settled(address, 60);
    expect(messages.map(({ event }) => event.id)).toEqual(same.map(({ eventId }) => eventId));
  });

  for (const state of ['refusing', 'silent'] as const) {
    test(`rejects within its time when Kafka is ${state}, and at once from then on`, async () => {
      const link = await useLink(inject('environment').kafkaBrokers);
      link.become(state);
      const publisher = usePublisher(link.address);

      expect(await rejectedAfter(publisher)).toBeLessThan(TIMEOUT_MS + 500);
      for (let again = 0; again < 5; again++) expect(await rejectedAfter(publisher)).toBeLessThan(100);
    });

    test(`publishes again when Kafka comes back after it was ${state}`, async () => {
      const reader = await useTopicReader();
      const link = await useLink(inject('environment').kafkaBrokers);
      link.become(state);
      const publisher = usePublisher(link.address);
      await rejectedAfter(publisher);
      link.become('open');

      const change = newChange();
      await until('the publisher took the event', () => succeeds(publisher.publish(change, { timeoutMs: 5_000 })));
      expect(await reader.settled(change.address, 1)).toMatchObject([{ event: { id: change.eventId } }]);
    });
  }

  test('rejects everything once it is closed', async () => {
    const publisher = usePublisher(inject('environment').kafkaBrokers);
    await publisher.close();
    expect(await rejectedAfter(publisher)).toBeLessThan(100);
  });
});
