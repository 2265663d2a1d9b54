import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { openDatabase } from '../../db/database.ts';
import { giveAnsweredCommands } from '../../dev/bench/fairness/answered-commands.ts';
import { type Attacker, type FloodKind, RATES } from '../../dev/bench/fairness/floods.ts';
import { type FloodResult, measureFlood } from '../../dev/bench/fairness/measure.ts';
import { MEASURED, type Measured, measureVictim, type Victim } from '../../dev/bench/fairness/victim.ts';
import { BenchClient } from '../../dev/bench/http.ts';
import { openApiProcess, useApiProcess } from '../support/processes.ts';
import { createWorld } from '../support/world.ts';

/*
 * The short form of `npm run bench:fairness`.
 */

const TRIES = 3;
const WARM_UP_MS = 2_000;
const PHASE_MS = 1_500;
/** A flood must not make the slowest answers of another customer longer than so many times, and a little. */
const MOST_TIMES = 2;
/** What two cores that other tests share vary by anyway, in milliseconds. */
const SLACK_MS = 40;

let victim: Victim;
let attacker: Attacker;

beforeAll(async () => {
  const api = await openApiProcess({ EMBEDDED_WORKER: 'true' });
  const world = await createWorld({ agents: 2, manualHosts: 1, prefixLength: 22, apiUrl: api.url });
  const { region } = world;
  const customer = await world.account();
  const hostile = await world.account({ reservedIpLimit: 30 });
  const host = world.manualHosts[0];
  const [dropletId = 0] = await world.droplets(customer, 1);
  const [hostileDroplet = 0] = await world.droplets(hostile, 1);
  const addresses: string[] = [];
  for (let made = 0; made < 5; made++) addresses.push(await hostile.reserve(region));
  const db = openDatabase({ url: inject('environment').mysqlUrl, poolSize: 1 });
  victim = { api: new BenchClient(api.url, customer.http.token ?? ''), region, dropletId };
  attacker = {
    apiUrl: api.url,
    token: await world.token(hostile.id, { requests_per_minute: 250, requests_per_hour: 5_000 }),
    unlimitedToken: hostile.http.token ?? '',
    hostToken: host?.http.token ?? '',
    ...{ addresses, dropletId: hostileDroplet, region },
    acknowledgments: await giveAnsweredCommands(db, host?.name ?? '').finally(() => db.destroy()),
  };
  await measureVictim(victim, WARM_UP_MS);
  return async () => {
    victim.api.close();
    await world.close();
    await api.stop();
  };
});

type Complaint = Measured | 'not served';

/** What a customer would notice: each measure that a flood makes slower than it may. */
function noticed({ quiet, flooded, failures }: FloodResult): Complaint[] {
  const slow = MEASURED.filter((measured) => flooded[measured].p99 > MOST_TIMES * quiet[measured].p99 + SLACK_MS);
  return failures.flooded === 0 ? slow : [...slow, 'not served'];
}

function describeTimes({ quiet, flooded, failures }: FloodResult): string {
  const times = MEASURED.map(
    (measured) => `${measured} ${quiet[measured].p99.toFixed(0)} → ${flooded[measured].p99.toFixed(0)} ms`,
  );
  return `p99: ${times.join(', ')}; ${failures.flooded} not served`;
}

describe('another customer hardly notices a flood of', () => {
  test.each<[FloodKind, string[]]>([
    ['no-token', ['401']],
    ['open-paths', ['200', '404', '429']],
    ['wrong-tokens', ['401', '429']],
    ['reads', ['200', '429']],
    ['reads-unlimited', ['200']],
    ['changes', ['429']],
    ['acknowledgments', ['200', '429']],
    ['long-polls', ['200', '429']],
    ['slow-connections', []],
    ['huge-paths', ['414']],
    ['huge-headers', ['401', '431']],
  ])('%s', async (kind, statuses) => {
    // A measure that one try finds good is good: what else the machine does must not be taken for the flood.
    let always: Complaint[] | null = null;
    const tries: string[] = [];
    const answers = new Set<string>();
    const isGood = () => always?.length === 0 && statuses.every((status) => answers.has(status));
    for (let attempt = 1; attempt <= TRIES && !isGood(); attempt++) {
      const result = await measureFlood(victim, attacker, { kind, rate: RATES[kind], cycles: 1, phaseMs: PHASE_MS });
      expect(result.counts.sent).toBeGreaterThan(20);
      for (const status of Object.keys(result.counts.answers)) answers.add(status);
      const complaints = noticed(result);
      always = (always ?? complaints).filter((complaint) => complaints.includes(complaint));
      tries.push(describeTimes(result));
    }
    expect([...answers]).toEqual(expect.arrayContaining(statuses));
    expect(always, tries.join('\n')).toEqual([]);
  });
});

/** Connections to a server from an address on loopback, and how many of them the server has closed. */
async function openConnections(url: string, localAddress: string, count: number) {
  let closed = 0;
  const sockets = Array.from({ length: count }, () => {
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port), localAddress });
    socket.on('error', () => {});
    socket.on('close', () => closed++);
    return socket;
  });
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  await Promise.all(sockets.map((socket) => Promise.race([once(socket, 'connect'), once(socket, 'close')])));
  return { sockets, closed: () => closed };
}

async function answers(socket: Socket): Promise<boolean> {
  socket.write('GET /healthz HTTP/1.1\r\nHost: api\r\n\r\n');
  const [data] = await Promise.race([once(socket, 'data'), once(socket, 'close')]);
  return String(data).startsWith('HTTP/1.1 200');
}

test('an address has only so many connections, those that it has go on, and others are not affected', async () => {
  const { url } = await useApiProcess({ API_ADDRESS_CONNECTIONS: '20', API_TRUSTED_PROXIES: '127.0.0.9' });
  const many = await openConnections(url, '127.0.0.2', 50);
  await expect.poll(many.closed).toBe(30);
  const [first] = many.sockets.filter((socket) => !socket.destroyed);
  expect(first && (await answers(first))).toBe(true);
  const { sockets: others } = await openConnections(url, '127.0.0.3', 5);
  expect(await Promise.all(others.map(answers))).toEqual(Array(5).fill(true));
  const proxy = await openConnections(url, '127.0.0.9', 50);
  expect(await Promise.all(proxy.sockets.map(answers))).toEqual(Array(50).fill(true));

  for (const socket of many.sockets) socket.destroy();
  await expect.poll(async () => (await openConnections(url, '127.0.0.2', 1)).sockets.map(answers)[0]).toBe(true);
});

test('a process has only so many connections', async () => {
  const { url } = await useApiProcess({ API_CONNECTIONS: '30' });
  const many = await openConnections(url, '127.0.0.2', 50);
  await expect.poll(many.closed).toBeGreaterThanOrEqual(20);
});
