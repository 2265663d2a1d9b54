import { expect, inject, test } from 'vitest';
import { Http } from '../../dev/kit/http.ts';
import { ManualHost } from '../../dev/kit/manual-host.ts';
import { until } from '../../dev/kit/until.ts';
import { ready, startApiProcess } from '../support/processes.ts';
import { prepareLanes, Traffic } from '../support/traffic.ts';
import { useWorld } from '../support/world.ts';

/** What docs/running.md says: at most 15 s. */
const AT_MOST_MS = 15_000;

test('an API with a worker that is asked to stop answers everyone, and no client sees a broken connection', async () => {
  const { apiUrl } = inject('environment');
  const [api, world] = await Promise.all([
    startApiProcess({ EMBEDDED_WORKER: 'true' }),
    useWorld({ agents: 2, manualHosts: 0 }),
  ]);
  await ready(api);
  const idle = new ManualHost('idle', api.url, await world.registerHost(`${world.region}-idle`));
  const account = await world.account();
  const dropletIds = await world.droplets(account, 9);
  const onAgents = dropletIds.filter((_, index) => index % 3 !== 2);
  const lanes = await prepareLanes(account, world.region, onAgents);
  const traffic = new Traffic({ account, urls: [api.url, apiUrl], lanes });
  await until('customers are at work', async () => traffic.operations.length > 8, 60_000);
  const longPoll = idle.http
    .get('/host/v1/events?after=0&wait=30')
    .then((answer) => ({ answer, at: performance.now() }));
  await until('the host waits', async () => traffic.operations.length > 12, 60_000);

  const signalledAt = performance.now();
  api.program.signal('SIGTERM');
  const health = await until('it says that it stops', async () => {
    const { status, body } = await new Http(api.url, null).get('/readyz');
    return status === 503 && body;
  });
  const { code } = await api.program.ended();
  const stoppedAfter = performance.now() - signalledAt;
  const polled = await longPoll;
  await until(
    'customers have gone on elsewhere',
    async () => traffic.between(signalledAt, Number.POSITIVE_INFINITY, 'write').length > 12,
    60_000,
  );
  await traffic.stop();

  console.log(
    `API: stopped after ${Math.round(stoppedAfter)} ms, its long poll answered after ${Math.round(polled.at - signalledAt)} ms`,
  );
  expect(code).toBe(0);
  expect(stoppedAfter).toBeLessThan(AT_MOST_MS);
  expect(health).toMatchObject({ status: 'stopping' });
  expect(polled.answer).toMatchObject({ status: 200, body: { events: [] } });
  expect(polled.at - signalledAt, 'a host that waits is answered at once').toBeLessThan(1_000);
  expect(traffic.failures).toEqual([]);
  expect(traffic.operations.filter(({ status }) => status !== 'completed')).toEqual([]);
}, 240_000);
