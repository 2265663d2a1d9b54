import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { expect, inject, onTestFinished, test } from 'vitest';
import { WaitingHosts } from '../../api/host-commands/waiting-hosts.ts';
import { useDatabase } from '../support/database.ts';
import { useLink } from '../support/link.ts';

/** What one query may take, and a busy machine. */
const REJECTED_WITHIN_MS = 2_000;

test('a poll that comes while MySQL is already being waited for is rejected as soon as the one before it', async () => {
  const mysqlUrl = inject('environment').mysqlUrl;
  const { host } = new URL(mysqlUrl);
  const link = await useLink(host);
  const db = useDatabase({ url: mysqlUrl.replace(host, link.address) });
  const waitingHosts = new WaitingHosts({ db, logger: pino({ level: 'silent' }) });
  onTestFinished(() => waitingHosts.close());
  const poll = async (id: number) => {
    const begin = performance.now();
    const { signal } = new AbortController();
    const rejected = waitingHosts.wait({
      host: { id, name: `host-${id}` },
      after: 0,
      limit: 10,
      waitMs: 20_000,
      signal,
    });
    await expect(rejected, `poll ${id}`).rejects.toThrow();
    return performance.now() - begin;
  };
  link.become('silent');

  const first = poll(1);
  await sleep(1_000);
  const second = poll(2);

  expect(await first).toBeLessThan(REJECTED_WITHIN_MS);
  expect(await second, 'it need not wait for a failure of its own').toBeLessThan(1_000);
});
