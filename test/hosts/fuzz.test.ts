import { beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import type { Database } from '../../db/database.ts';
import type { Account } from '../../dev/kit/account.ts';
import { type Answer, expectAnswer, Http } from '../../dev/kit/http.ts';
import type { ManualHost } from '../../dev/kit/manual-host.ts';
import { seededRandom } from '../../dev/kit/random.ts';
import { until } from '../../dev/kit/until.ts';
import { createLogger } from '../../platform/logging/logger.ts';
import { useDatabase } from '../support/database.ts';
import { expectedError } from '../support/expected.ts';
import { createPrivateEnvironment, type PrivateEnvironment } from '../support/private-environment.ts';
import { useWorld, type World } from '../support/world.ts';
import { type HostileRequest, hostileRequests, type RejectionReason } from './hostile-requests.ts';

const REQUESTS = 600;
const IN_FLIGHT = 8;
/** Far above what a line needs, far below what a request may carry. */
const LONGEST_LINE = 1_500;

const lines: string[] = [];
let environment: PrivateEnvironment;
beforeAll(async () => {
  // An environment of its own: its log can be read, and its operations wait for a host for longer than all this takes.
  // Without limits that a host which sends so much garbage would meet: they have tests of their own.
  const settings = {
    API_REFUSED_LINES_PER_SECOND: '10000',
    API_WRONG_TOKENS_PER_MINUTE: '10000',
    API_HOST_REQUESTS_PER_SECOND: '10000',
    API_HOST_ACKNOWLEDGMENTS_PER_SECOND: '10000000',
  };
  environment = await createPrivateEnvironment({
    worker: true,
    settings,
    logger: createLogger({ level: 'info', destination: { write: (line) => lines.push(line) } }),
  });
  return environment.close;
});

test('whatever comes from a host or someone who plays one is rejected, logged, and changes nothing', async () => {
  const seed = Number(process.env.TEST_SEED ?? Math.floor(Math.random() * 1e6));
  const { world, account, victim, action, scene } = await useScene();
  const db = useDatabase();
  const before = await everythingOf(db, world, account);
  lines.length = 0;

  const requests = hostileRequests(seededRandom(seed), scene, REQUESTS);
  const answers = await sendAll(requests);

  for (const [index, { what, rejection }] of requests.entries()) {
    expectRejected(answers[index], rejection, `seed ${seed}, request ${index}, ${what}`);
  }
  expect(await everythingOf(db, world, account), `seed ${seed}`).toEqual(before);
  expectLogged(requests, `seed ${seed}`);
  for (const token of [scene.victim.token, scene.neighbour.token, ...scene.foreignTokens]) {
    expect(lines.some((line) => line.includes(token))).toBe(false);
  }

  expect(await victim.acknowledge(scene.victim.open)).toBe('recorded');
  await account.completed(action);
});

test('an acknowledgment that another one in the same batch contradicts is not said to stand', async () => {
  const { account, victim, action, scene } = await useScene();
  const { open } = scene.victim;

  const answer = await victim.http.post('/host/v1/acknowledgments', {
    acknowledgments: [
      { ...open, outcome: 'applied' },
      { ...open, outcome: 'failed', message: 'an echo' },
      { ...open, outcome: 'applied' },
    ],
  });

  expect(readStatuses(answer)).toEqual(['recorded', 'repeated', 'recorded']);
  await account.completed(action);
});

/** A host that was commanded to attach an address and has not answered yet, and another whose answers are all in. */
async function useScene() {
  const world = await useWorld({ agents: 0, manualHosts: 2, apiUrl: environment.apiUrl });
  const [victim, neighbour] = world.manualHosts;
  if (!victim || !neighbour) throw new Error('no hosts');
  const account = await world.account();
  const [first = 0, other = 0, second = 0] = await world.droplets(account, 3);
  async function attach(host: ManualHost, ip: string, droplet: number) {
    const action = await account.startAssign(ip, droplet);
    const event = await host.confirm(ip, 'attach');
    await account.completed(action);
    return event;
  }
  async function attachAndDetach(host: ManualHost, ip: string, droplet: number) {
    const attached = await attach(host, ip, droplet);
    const action = await account.startUnassign(ip);
    const detached = await host.confirm(ip, 'detach');
    await account.completed(action);
    return [attached, detached];
  }
  const ip = await account.reserve(world.region);
  const answered = [
    ...(await attachAndDetach(victim, ip, first)),
    await attach(victim, await account.reserve(world.region), second),
  ];
  const othersAnswered = await attachAndDetach(neighbour, await account.reserve(world.region), other);

  const action = await account.startAssign(ip, first);
  const open = await victim.command(ip, 'attach');
  await until('its workflow waits where operators see it', () => waitsVisibly(action.id), 20_000);
  const scene = {
    victim: { token: tokenOf(victim.http), open: nameOf(open), answered: answered.map(nameOf) },
    neighbour: { token: tokenOf(neighbour.http), answered: othersAnswered.map(nameOf) },
    foreignTokens: [tokenOf(account.http), tokenOf(world.admin)],
  };
  return { world, account, victim, action, scene };
}

async function waitsVisibly(actionId: number): Promise<boolean> {
  const row = await useDatabase()
    .selectFrom('operations')
    .innerJoin('actions', 'actions.operation_id', 'operations.id')
    .select('operations.visible_wait')
    .where('actions.id', '=', actionId)
    .executeTakeFirst();
  return row?.visible_wait === 1;
}

function tokenOf({ token }: Http): string {
  if (token === null) throw new Error('no token');
  return token;
}

function nameOf({ sequence, generation }: { sequence: number; generation: number }) {
  return { sequence, generation };
}

/** Every row of a world that anything from a host could reach. */
async function everythingOf(db: Database, { region }: World, { id }: Account) {
  const hosts = db.selectFrom('hosts').where('name', 'like', `${region}-%`);
  const regions = db.selectFrom('regions').select('id').where('slug', '=', region);
  return {
    hosts: await hosts.selectAll().orderBy('id').execute(),
    tokens: await db.selectFrom('host_tokens').selectAll().where('host_id', 'in', hosts.select('id')).execute(),
    events: await db
      .selectFrom('host_events')
      .selectAll()
      .where('host_id', 'in', hosts.select('id'))
      .orderBy('host_id')
      .orderBy('sequence')
      .execute(),
    addresses: await db.selectFrom('addresses').selectAll().where('region_id', 'in', regions).orderBy('id').execute(),
    droplets: await db.selectFrom('droplets').selectAll().where('account_id', '=', id).orderBy('id').execute(),
    actions: await db.selectFrom('actions').selectAll().where('account_id', '=', id).orderBy('id').execute(),
    operations: await db.selectFrom('operations').selectAll().where('account_id', '=', id).orderBy('id').execute(),
  };
}

/** Sends all of them, some at a time; each is named by its place, so that it can be found in the log. */
async function sendAll(requests: HostileRequest[]): Promise<Answer[]> {
  const answers: Answer[] = [];
  const left = requests.entries();
  async function sendNext(): Promise<void> {
    for (const [index, { token, method, path, body, rawBody, headers }] of left) {
      answers[index] = await new Http(environment.apiUrl, token).send(method, path, {
        body,
        ...(rawBody !== undefined && { rawBody }),
        headers: { ...headers, 'x-request-id': requestIdOf(index) },
      });
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, sendNext));
  return answers;
}

function requestIdOf(index: number): string {
  return `hostile-${index}`;
}

const ERRORS: Record<Exclude<RejectionReason, 'unheeded'>, { status: number; id: string }> = {
  bad_request: { status: 400, id: 'bad_request' },
  unauthorized: { status: 401, id: 'unauthorized' },
  too_long: { status: 414, id: 'uri_too_long' },
  not_found: { status: 404, id: 'not_found' },
  method_not_allowed: { status: 405, id: 'method_not_allowed' },
  too_large: { status: 413, id: 'payload_too_large' },
  invalid: { status: 422, id: 'unprocessable_entity' },
};

function expectRejected(answer: Answer | undefined, rejection: RejectionReason, what: string): void {
  if (!answer) throw new Error(`${what}: no answer`);
  if (rejection === 'unheeded') {
    const statuses = new Set(readStatuses(answer));
    expect(
      [...statuses].filter((status) => status !== 'unknown' && status !== 'repeated'),
      what,
    ).toEqual([]);
    return;
  }
  const { status, id } = ERRORS[rejection];
  expect(answer.status, `${what}: ${answer.text}`).toBe(status);
  expect(answer.headers.get('content-type'), what).toBe('application/json; charset=utf-8');
  expect(answer.body, what).toEqual(expectedError(id, expect.stringMatching(/\S/), answer.headers));
}

function readStatuses(answer: Answer): string[] {
  const schema = z.object({ results: z.array(z.object({ status: z.string() })).nonempty() });
  return expectAnswer(answer, 200, schema).results.map(({ status }) => status);
}

const PINO_WARN = 40;
const lineSchema = z.object({ level: z.int(), requestId: z.string(), host: z.string().optional() });

/** One warning for each request, with the host's name where there is one; nothing worse, and no line without end. */
function expectLogged(requests: HostileRequest[], what: string): void {
  const warnings = new Map<string, { level: number; host?: string | undefined }[]>();
  for (const text of lines) {
    const line = lineSchema.parse(JSON.parse(text));
    if (line.level < PINO_WARN) continue;
    expect(text.length, text.slice(0, LONGEST_LINE)).toBeLessThan(LONGEST_LINE);
    warnings.set(line.requestId, [...(warnings.get(line.requestId) ?? []), line]);
  }
  for (const [index, request] of requests.entries()) {
    const isUnrouted = request.rejection === 'not_found' || request.rejection === 'too_long';
    const host = request.token === null || isUnrouted ? undefined : expect.any(String);
    expect(warnings.get(requestIdOf(index)), `${what}, request ${index}, ${request.what}`).toEqual([
      expect.objectContaining({ level: PINO_WARN, ...(host && { host }) }),
    ]);
  }
}
