import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, inject, test } from 'vitest';
import { z } from 'zod';
import { type Answer, expectAnswer, Http } from '../../dev/kit/http.ts';
import type { ManualHost } from '../../dev/kit/manual-host.ts';
import { until } from '../../dev/kit/until.ts';
import { useDatabase } from '../support/database.ts';
import { expectedError } from '../support/expected.ts';
import { useCustomer, useReserved } from '../support/reserved.ts';
import { useWorld } from '../support/world.ts';

const EVENTS = '/host/v1/events';
const ACKNOWLEDGMENTS = '/host/v1/acknowledgments';
const DESIRED_STATE = '/host/v1/desired-state';
const ONE_MEBIBYTE = 1_048_576;

/** A world with one host and an address on its way to it. */
async function useOpenAttach() {
  const world = await useWorld({ agents: 0, manualHosts: 2 });
  const [host, other] = world.manualHosts;
  if (!host || !other) throw new Error('no hosts');
  const account = await world.account();
  const [droplet = 0, otherDroplet = 0] = await world.droplets(account, 2);
  const ip = await account.reserve(world.region);
  const action = await account.startAssign(ip, droplet);
  const event = await host.command(ip, 'attach');
  return { world, host, other, account, droplet, otherDroplet, ip, action, event };
}

describe('the host protocol', () => {
  test('answers a host’s own token only, whatever other token is good for', async () => {
    const { world, host, account, action, event } = await useOpenAttach();
    const acknowledgments = [{ sequence: event.sequence, generation: event.generation, outcome: 'applied' }];
    const strangers = [null, 'nonsense', account.http.token, world.admin.token, `${host.http.token}x`];

    for (const token of strangers) {
      const http = new Http(host.http.baseUrl, token);
      const answers = [
        await http.get(EVENTS),
        await http.get(DESIRED_STATE),
        await http.post(ACKNOWLEDGMENTS, { acknowledgments }),
      ];
      for (const answer of answers) {
        expect(answer).toMatchObject({ status: 401, body: { id: 'unauthorized' } });
      }
    }

    expect(await host.openCommands()).toContainEqual(expect.objectContaining({ sequence: event.sequence }));
    expect(await account.action(action.id)).toMatchObject({ status: 'in-progress' });
  });

  test('rejects a revoked token within a second, and lets a new one in at once', async () => {
    const { world, host } = await useOpenAttach();
    await host.openCommands();

    expect(await world.admin.delete(`/internal/v1/hosts/${host.name}/tokens`)).toMatchObject({ status: 200 });

    await until('the token stopped working', async () => (await host.http.get(EVENTS)).status === 401, 1_500);
    expect(await host.http.get(DESIRED_STATE)).toMatchObject({ status: 401 });
    expect(await host.http.post(ACKNOWLEDGMENTS, { acknowledgments: [] })).toMatchObject({ status: 401 });
    const token = await world.registerHost(host.name);
    expect(await new Http(host.http.baseUrl, token).get(EVENTS)).toMatchObject({ status: 200 });
  });

  test('does not open the doors of customers and operators to a host’s token', async () => {
    const { host } = await useOpenAttach();
    expect(await host.http.get('/v2/reserved_ips')).toMatchObject({ status: 401 });
    expect(await host.http.get('/internal/v1/hosts')).toMatchObject({ status: 401 });
  });

  test('shows a host its own events and nothing of another’s', async () => {
    const { host, other, ip } = await useOpenAttach();
    expect(await host.openCommands()).toMatchObject([{ address: ip, change: 'attach' }]);
    expect(await other.openCommands()).toEqual([]);
    expect(await desiredState(other)).toMatchObject({ host: other.name, attachments: [] });
  });

  test('takes another host’s sequence for unknown, and changes nothing', async () => {
    const { host, other, account, action, event } = await useOpenAttach();

    expect(await other.acknowledge(event)).toBe('unknown');

    expect(await host.openCommands()).toContainEqual(expect.objectContaining({ sequence: event.sequence }));
    expect(await account.action(action.id)).toMatchObject({ status: 'in-progress' });
    expect(await host.acknowledge(event)).toBe('recorded');
    await account.completed(action);
  });

  test('takes an acknowledgment under the same sequence for the host’s own event only', async () => {
    const { world, host, other, account, otherDroplet, action, event } = await useOpenAttach();
    const otherIp = await account.reserve(world.region);
    const otherAction = await account.startAssign(otherIp, otherDroplet);
    const otherEvent = await other.command(otherIp, 'attach');
    expect(otherEvent).toMatchObject({ sequence: event.sequence, generation: event.generation });

    expect(await other.acknowledge(otherEvent)).toBe('recorded');

    await account.completed(otherAction);
    expect(await account.action(action.id)).toMatchObject({ status: 'in-progress' });
    expect(await host.openCommands()).toContainEqual(expect.objectContaining({ sequence: event.sequence }));
  });

  test('answers a batch one by one, in its order, and the unknown ones harm no other', async () => {
    const { host, account, action, event } = await useOpenAttach();
    const { sequence, generation } = event;

    const answer = await host.http.post(ACKNOWLEDGMENTS, {
      acknowledgments: [
        { sequence: sequence + 1_000, generation, outcome: 'applied' },
        { sequence, generation: generation + 1, outcome: 'failed', message: 'of another generation' },
        { sequence, generation, outcome: 'applied', message: null },
      ],
    });

    expect(answer).toMatchObject({
      status: 200,
      body: {
        results: [
          { sequence: sequence + 1_000, status: 'unknown' },
          { sequence, status: 'unknown' },
          { sequence, status: 'recorded' },
        ],
      },
    });
    await account.completed(action);
  });

  test('lets a success stand over a failure, in whichever order they come', async () => {
    const { host, account, action, event } = await useOpenAttach();
    expect(await host.acknowledge(event, 'failed', 'not now')).toBe('recorded');
    expect(await host.acknowledge(event, 'applied')).toBe('recorded');
    expect(await host.acknowledge(event, 'failed', 'an echo')).toBe('repeated');
    await account.completed(action);
    expect(await host.acknowledge(event, 'failed', 'a late echo')).toBe('repeated');
    expect(await account.action(action.id)).toMatchObject({ status: 'completed' });
  });
});

describe('a request of a host that makes no sense', () => {
  const one = { sequence: 1, generation: 1, outcome: 'applied' };
  const bodies: [what: string, status: number, send: { body?: unknown; rawBody?: string }][] = [
    ['that is no JSON', 400, { rawBody: '{"acknowledgments":' }],
    ['without acknowledgments', 422, { body: {} }],
    ['with acknowledgments that are no list', 422, { body: { acknowledgments: one } }],
    ['with an outcome that does not exist', 422, { body: { acknowledgments: [{ ...one, outcome: 'done' }] } }],
    ['without an outcome', 422, { body: { acknowledgments: [{ sequence: 1, generation: 1 }] } }],
    ['with sequence 0', 422, { body: { acknowledgments: [{ ...one, sequence: 0 }] } }],
    ['with a sequence that is text', 422, { body: { acknowledgments: [{ ...one, sequence: '1' }] } }],
    ['with a sequence beyond all numbers', 422, { body: { acknowledgments: [{ ...one, sequence: 1e30 }] } }],
    ['with a negative generation', 422, { body: { acknowledgments: [{ ...one, generation: -1 }] } }],
    ['with a fraction', 422, { body: { acknowledgments: [{ ...one, generation: 1.5 }] } }],
    ['with an endless message', 422, { body: { acknowledgments: [{ ...one, message: 'x'.repeat(1_025) }] } }],
    ['with 501 acknowledgments', 422, { body: { acknowledgments: Array.from({ length: 501 }, () => one) } }],
    ['of more than a mebibyte', 413, { rawBody: ' '.repeat(ONE_MEBIBYTE + 1) }],
  ];
  const queries = [
    ...['after=-1', 'after=x', 'after=1.5', 'after=99999999999999999999', 'wait=31', 'wait=-1', 'wait=x'],
    ...['limit=0', 'limit=501', 'limit=x'],
  ];

  test('is answered with a clear error and changes nothing', async () => {
    const { host, account, action, event } = await useOpenAttach();
    const expectClearError = (what: string, answer: Answer, status: number) => {
      const id = { 400: 'bad_request', 413: 'payload_too_large', 422: 'unprocessable_entity' }[status] ?? '';
      expect(answer.status, `${what}: ${answer.text}`).toBe(status);
      expect(answer.body, what).toEqual(expectedError(id, expect.stringMatching(/\S/), answer.headers));
    };

    for (const [what, status, options] of bodies) {
      expectClearError(`a body ${what}`, await host.http.send('POST', ACKNOWLEDGMENTS, options), status);
    }
    for (const query of queries) expectClearError(query, await host.http.get(`${EVENTS}?${query}`), 422);

    expect(await host.openCommands()).toContainEqual(expect.objectContaining({ sequence: event.sequence }));
    expect((await account.action(action.id)).status).not.toBe('completed');
  });

  test('may be as large as the protocol allows', async () => {
    const { host } = await useOpenAttach();
    const acknowledgments = Array.from({ length: 500 }, (_, index) => ({
      sequence: 1_000 + index,
      generation: 1,
      outcome: 'failed',
      message: 'x'.repeat(1_024),
    }));
    const answer = await host.http.post(ACKNOWLEDGMENTS, { acknowledgments });
    const { results } = expectAnswer(answer, 200, z.object({ results: z.array(z.object({ status: z.string() })) }));
    expect(results).toHaveLength(500);
    expect(results.every(({ status }) => status === 'unknown')).toBe(true);
  });
});

describe('a long poll', () => {
  for (const where of ['apiUrl', 'secondApiUrl'] as const) {
    const origin = where === 'apiUrl' ? 'in the same API process' : 'in the other API process';
    test(`is answered as soon as something is admitted ${origin}`, async () => {
      const { account, host, droplet, ip } = await useReserved({ agents: 0, manualHosts: 1 });
      let answeredAt = 0;
      const poll = host.http.get(`${EVENTS}?wait=20`).finally(() => {
        answeredAt = performance.now();
      });
      await sleep(200);
      expect(answeredAt, 'nothing is answered before there is an event').toBe(0);

      await account.at(inject('environment')[where]).startAssign(ip, droplet);
      const admittedAt = performance.now();

      expect((await poll)?.body).toMatchObject({ events: [{ address: ip, change: 'attach', droplet_id: droplet }] });
      expect(answeredAt - admittedAt).toBeLessThan(1_000);
    });
  }

  test('is empty when the wait is over', async () => {
    const world = await useWorld({ agents: 0, manualHosts: 1 });
    const startedAt = performance.now();
    expect(await world.manualHosts[0]?.http.get(`${EVENTS}?wait=1`)).toMatchObject({
      status: 200,
      body: { events: [] },
    });
    const elapsed = performance.now() - startedAt;
    expect(elapsed).toBeGreaterThan(950);
    expect(elapsed).toBeLessThan(4_000);
  });

  test('answers at once what is open, after the given sequence and up to the limit', async () => {
    const { world, host, account, droplet, ip, action, event } = await useOpenAttach();
    await host.acknowledge(event);
    await account.completed(action);
    await account.startUnassign(ip);
    const detach = await host.command(ip, 'detach');
    const another = await account.reserve(world.region);
    expect(await account.requestAssign(another, droplet)).toMatchObject({ status: 422 });
    const poll = async (query: string) => (await host.http.get(`${EVENTS}?${query}`)).body;

    expect(await poll('wait=20&limit=1')).toMatchObject({ events: [{ sequence: detach.sequence }] });
    expect(await poll(`wait=20&after=${detach.sequence - 1}`)).toMatchObject({
      events: [{ sequence: detach.sequence }],
    });
    expect(await poll(`after=${detach.sequence + 1_000}`)).toEqual({ events: [] });
  });
});

describe('an event', () => {
  test('says all that a driver needs', async () => {
    const { event, droplet, ip } = await useOpenAttach();
    expect(event).toMatchObject({
      change: 'attach',
      address: ip,
      droplet_id: droplet,
      anchor: expect.stringMatching(/^10\.17\.\d+\.\d+$/),
    });
  });

  test('stays until it is acknowledged, in every API process, and is gone then', async () => {
    const { host, event } = await useOpenAttach();
    const elsewhere = host.http.at(inject('environment').secondApiUrl);
    const mine = expect.objectContaining({ sequence: event.sequence });

    for (let round = 0; round < 2; round++) {
      expect((await host.http.get(EVENTS)).body).toMatchObject({ events: expect.arrayContaining([mine]) });
      expect((await elsewhere.get(EVENTS)).body).toMatchObject({ events: expect.arrayContaining([mine]) });
    }
    await host.acknowledge(event);

    expect(await host.openCommands()).not.toContainEqual(mine);
    expect((await elsewhere.get(EVENTS)).body).not.toMatchObject({ events: expect.arrayContaining([mine]) });
  });

  test('has the next sequence of its host, without gaps, however many are issued at once', async () => {
    const { world, account } = await useCustomer({ agents: 2 });
    const db = useDatabase();
    const elsewhere = account.at(inject('environment').secondApiUrl);
    const droplets = await world.droplets(account, 4);
    const addresses = await Promise.all(droplets.map(() => account.reserve(world.region)));

    for (let round = 0; round < 2; round++) {
      await Promise.all(
        addresses.map(async (ip, index) => {
          const caller = index % 2 === 0 ? account : elsewhere;
          await caller.assign(ip, droplets[index] ?? 0);
          await caller.unassign(ip);
        }),
      );
    }

    for (const { name } of world.agents) {
      const host = await db
        .selectFrom('hosts')
        .select(['id', 'last_sequence'])
        .where('name', '=', name)
        .executeTakeFirstOrThrow();
      const rows = await db.selectFrom('host_events').select('sequence').where('host_id', '=', host.id).execute();
      const sequences = rows.map(({ sequence }) => sequence).sort((left, right) => left - right);
      expect(sequences).toEqual(Array.from({ length: host.last_sequence }, (_, index) => index + 1));
      expect(sequences.length).toBeGreaterThanOrEqual(8);
    }
  });
});

describe('the desired state of a host', () => {
  test('has an address in each phase where packets for it should go', async () => {
    const { host, other, account, otherDroplet, droplet, ip, action, event } = await useOpenAttach();
    const here = (generation: number, dropletId: number) => [
      expect.objectContaining({ address: ip, generation, droplet_id: dropletId, anchor: expect.any(String) }),
    ];
    const expectStates = async (phase: string, first: unknown[], second: unknown[]) => {
      expect((await desiredState(host)).attachments, `${phase}, first host`).toEqual(first);
      expect((await desiredState(other)).attachments, `${phase}, second host`).toEqual(second);
    };

    await expectStates('on its way', here(event.generation, droplet), []);
    expect((await desiredState(host)).sequence).toBe(event.sequence);
    await host.acknowledge(event);
    await account.completed(action);
    await expectStates('assigned', here(event.generation, droplet), []);

    const moved = await account.startAssign(ip, otherDroplet);
    const arrival = await other.command(ip, 'attach');
    await expectStates('being reassigned', [], here(arrival.generation, otherDroplet));
    await other.acknowledge(arrival);
    await host.confirm(ip, 'detach');
    await account.completed(moved);
    await expectStates('reassigned', [], here(arrival.generation, otherDroplet));

    const left = await account.startUnassign(ip);
    const departure = await other.command(ip, 'detach');
    await expectStates('being unassigned', [], []);
    expect((await desiredState(other)).sequence).toBe(departure.sequence);
    await other.acknowledge(departure);
    await account.completed(left);
    await expectStates('unassigned', [], []);
  });

  test('has an address where it was before, under a newer generation, when its move was undone', async () => {
    const { host, other, account, otherDroplet, droplet, ip, action, event } = await useOpenAttach();
    await host.acknowledge(event);
    await account.completed(action);

    expect(await account.ended(await account.startAssign(ip, otherDroplet))).toMatchObject({ status: 'errored' });

    const { attachments } = await desiredState(host);
    expect(attachments).toMatchObject([{ address: ip, droplet_id: droplet }]);
    expect(attachments[0]?.generation).toBeGreaterThan(event.generation);
    expect((await desiredState(other)).attachments).toEqual([]);
  });

  test('has an address nowhere from the moment it is released', async () => {
    const { host, account, ip, action, event } = await useOpenAttach();
    await host.acknowledge(event);
    await account.completed(action);
    await account.release(ip);
    expect((await desiredState(host)).attachments).toEqual([]);
  });
});

describe('a host that was declared gone', () => {
  test('may read its desired state and nothing else, until it is declared returned', async () => {
    const { world, host } = await useOpenAttach();
    const path = `/internal/v1/hosts/${host.name}`;
    expect(await world.admin.post(`${path}/gone`)).toMatchObject({ status: 200, body: { host: { state: 'gone' } } });

    await until('its events were rejected', async () => (await host.http.get(EVENTS)).status === 409, 1_500);
    expect(await host.http.post(ACKNOWLEDGMENTS, { acknowledgments: [] })).toMatchObject({
      status: 409,
      body: { id: 'conflict', message: expect.stringContaining('declared gone') },
    });
    expect((await desiredState(host)).host).toBe(host.name);

    expect(await world.admin.post(`${path}/returned`)).toMatchObject({
      status: 200,
      body: { host: { state: 'active' } },
    });
    await until('it was let in again', async () => (await host.http.get(EVENTS)).status === 200, 1_500);
  });

  test('fails at once what waited for it to attach, and is given nothing more', async () => {
    const { world, host, account, droplet, ip, action } = await useOpenAttach();

    const answer = await world.admin.post(`/internal/v1/hosts/${host.name}/gone`);
    expect(answer.body).toMatchObject({ answered_events: 1, untold_operations: 0 });

    expect(await account.ended(action)).toMatchObject({ status: 'errored' });
    expect(await account.show(ip)).toMatchObject({ droplet: null, locked: false });
    expect(await account.requestAssign(ip, droplet)).toMatchObject({
      status: 422,
      body: { message: 'The Droplet is on a host that is out of service.' },
    });
    // The undo has left a detach for when the host returns; saying again that it is gone answers that too.
    for (const answered_events of [1, 0]) {
      const again = await world.admin.post(`/internal/v1/hosts/${host.name}/gone`);
      expect(again.body).toMatchObject({ answered_events });
    }
  });

  test('completes what waited for it to detach', async () => {
    const { world, host, account, ip, action, event } = await useOpenAttach();
    await host.acknowledge(event);
    await account.completed(action);
    const unassigned = await account.startUnassign(ip);

    await world.admin.post(`/internal/v1/hosts/${host.name}/gone`);

    await account.completed(unassigned);
    expect(await account.show(ip)).toMatchObject({ droplet: null, locked: false });
  });
});

async function desiredState(host: ManualHost) {
  return expectAnswer(
    await host.http.get(DESIRED_STATE),
    200,
    z.object({
      host: z.string(),
      sequence: z.int(),
      attachments: z.array(
        z.object({ address: z.string(), generation: z.int(), droplet_id: z.int(), anchor: z.string() }),
      ),
    }),
  );
}
