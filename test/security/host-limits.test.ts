import { expect, test } from 'vitest';
import { type Answer, Http } from '../../dev/kit/http.ts';
import { useApiProcess } from '../support/api-process.ts';
import { useWorld } from '../support/world.ts';

/** A host whose answers the test decides, and one like it, at an API process with these settings. */
async function useHosts(settings: Record<string, string>) {
  const api = await useApiProcess({ EMBEDDED_WORKER: 'true', ...settings });
  const world = await useWorld({ agents: 0, manualHosts: 2, apiUrl: api.url });
  const [host, other] = world.manualHosts;
  if (!host || !other) throw new Error('no hosts');
  return { api, world, host, other };
}

const batch = (count: number) => ({
  acknowledgments: Array.from({ length: count }, (_, index) => ({
    sequence: index + 1,
    generation: 1,
    outcome: 'applied',
  })),
});

test('a host has so many long polls open: a further one ends the oldest, and the others still hear of an event', async () => {
  const { world, host } = await useHosts({ API_HOST_POLLS: '3' });
  const account = await world.account();
  const [first = 0, second = 0] = await world.droplets(account, 2);
  const answers: Answer[] = [];
  const polls = Array.from({ length: 5 }, () =>
    host.http.get('/host/v1/events?after=0&wait=30').then((answer) => answers.push(answer)),
  );
  await expect.poll(() => answers.length).toBe(2);
  expect(answers.map(({ body }) => body)).toEqual([{ events: [] }, { events: [] }]);

  // One of the two droplets is on this host.
  for (const droplet of [first, second]) await account.startAssign(await account.reserve(world.region), droplet);
  await Promise.all(polls);
  expect(answers.slice(2).map(({ body }) => body)).toEqual(
    Array(3).fill({ events: [expect.objectContaining({ change: 'attach' })] }),
  );
});

test('a host that acknowledges more than its share is answered with 429 before its batch is read, and another one is not', async () => {
  const { host, other } = await useHosts({ API_HOST_ACKNOWLEDGMENTS_PER_SECOND: '100' });
  const answers = await Promise.all(
    Array.from({ length: 30 }, () => host.http.post('/host/v1/acknowledgments', batch(500))),
  );
  const served = answers.filter(({ status }) => status === 200).length;
  expect(served).toBeGreaterThan(0);
  expect(answers.filter(({ status }) => status === 429).length).toBe(30 - served);
  // Where a batch costs more than all that may be saved up, those that come later find nothing left.
  const rejected = await host.http.post('/host/v1/acknowledgments', undefined, { rawBody: '{' });
  expect(rejected.status).toBe(429);
  expect(Number(rejected.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(await other.http.post('/host/v1/acknowledgments', batch(50))).toMatchObject({ status: 200 });
});

test('a host that asks more often than its share is answered with 429, with any of its tokens, and another one is not', async () => {
  const { api, world, host, other } = await useHosts({ API_HOST_REQUESTS_PER_SECOND: '4' });
  const second = new Http(api.url, await world.registerHost(host.name));
  const statuses: number[] = [];
  for (let number = 0; number < 40; number++) {
    const { status } = await (number % 2 === 0 ? host.http : second).get('/host/v1/events?after=0&wait=0');
    statuses.push(status);
  }
  expect(statuses.slice(0, 20)).toEqual(Array(20).fill(200));
  expect(statuses).toContain(429);
  expect(await other.openCommands()).toEqual([]);
});

test('a large batch is recorded whole, its results in the order of the batch', async () => {
  const { world, host, other } = await useHosts({});
  const account = await world.account();
  const droplets = await world.droplets(account, 2);
  const actions = [];
  for (const droplet of droplets) actions.push(await account.startAssign(await account.reserve(world.region), droplet));
  for (const one of [host, other]) {
    const [event] = await one.openCommands();
    if (!event) throw new Error('the host has no event');
    const { acknowledgments } = batch(180);
    const real = { sequence: event.sequence, generation: event.generation, outcome: 'applied' };
    const unknown = acknowledgments.map((acknowledgment) => ({
      ...acknowledgment,
      sequence: acknowledgment.sequence + 1_000,
    }));
    const answer = await one.http.post('/host/v1/acknowledgments', {
      acknowledgments: [...unknown.slice(0, 130), real, ...unknown.slice(130)],
    });
    expect(answer.body).toEqual({
      results: [
        ...unknown.slice(0, 130).map(({ sequence }) => ({ sequence, status: 'unknown' })),
        { sequence: event.sequence, status: 'recorded' },
        ...unknown.slice(130).map(({ sequence }) => ({ sequence, status: 'unknown' })),
      ],
    });
  }
  for (const action of actions) await account.completed(action);
});
