import { randomBytes } from 'node:crypto';
import * as http from 'node:http';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { printJsonLine } from '../../../platform/text/print.ts';
import { type Attacker, type Flood, type FloodKind, floodSchema } from './floods.ts';

/*
 * One flood as a process of its own: reads what to send from standard input, and prints its outcome as JSON.
 */

/** Requests of one flood that may be without an answer at a time. */
const MOST_UNANSWERED = 400;
/** On loopback, and not that of the customer who is measured. */
const ADDRESS = '127.0.0.2';
const TICK_MS = 20;
const DRIP_MS = 500;

interface FloodRequest {
  method: 'GET' | 'POST' | 'DELETE';
  path: string;
  token: string | null;
  body?: string;
  headers?: Record<string, string>;
}

const flood = floodSchema.parse(JSON.parse(await text(process.stdin)));
const answers: Record<string, number> = {};
let sent = 0;

function count(status: number): void {
  answers[status] = (answers[status] ?? 0) + 1;
}

if (flood.kind === 'slow-connections') await holdConnections(flood);
else await sendAtRate(flood);
printJsonLine({ sent, answers });
process.stdout.end(() => process.exit());

/** Sends at the rate of the flood whatever the answers do, as many machines would. */
async function sendAtRate({ kind, attacker, rate, milliseconds }: Flood): Promise<void> {
  const next = requestsOf(kind, attacker);
  const agent = new http.Agent({ keepAlive: true, maxSockets: MOST_UNANSWERED, localAddress: ADDRESS });
  const begin = performance.now();
  let due = 0;
  let unanswered = 0;
  while (performance.now() - begin < milliseconds) {
    const wanted = ((performance.now() - begin) * rate) / 1_000;
    for (; due < wanted; due++) {
      if (unanswered >= MOST_UNANSWERED) continue;
      unanswered++;
      sent++;
      void send(attacker.apiUrl, agent, next(due)).then((status) => {
        unanswered--;
        count(status);
      });
    }
    await sleep(TICK_MS);
  }
  agent.destroy();
}

function send(apiUrl: string, agent: http.Agent, request: FloodRequest): Promise<number> {
  const { method, path, token, body, headers = {} } = request;
  const { promise, resolve } = Promise.withResolvers<number>();
  const outgoing = http.request(`${apiUrl}${path}`, {
    method,
    agent,
    headers: {
      ...headers,
      ...(token !== null && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
    },
  });
  outgoing.on('error', () => resolve(0));
  outgoing.on('response', (response) => {
    response.resume();
    response.on('close', () => resolve(response.statusCode ?? 0));
  });
  outgoing.end(body);
  return promise;
}

/** What the flood sends as its request number so and so. */
function requestsOf(kind: FloodKind, attacker: Attacker): (number: number) => FloodRequest {
  const { token, unlimitedToken, hostToken } = attacker;
  const list = '/v2/reserved_ips?per_page=200';
  switch (kind) {
    case 'no-token':
      return () => ({ method: 'GET', path: list, token: null });
    case 'open-paths':
      return (number) => {
        const path = pick(number, ['/readyz', '/openapi.json', '/healthz', '/nothing/here', '/host/v1/nothing']);
        return { method: 'GET', path, token: null };
      };
    case 'wrong-tokens':
      return (number) => {
        const secret = randomBytes(32).toString('base64url');
        const [path, prefix] = pick(number, [
          ['/v2/reserved_ips', 'rip_'],
          ['/host/v1/events?wait=0', 'riph_'],
          ['/internal/v1/accounts', ''],
        ] as const);
        return { method: 'GET', path, token: `${prefix}${secret}` };
      };
    case 'reads':
      return () => ({ method: 'GET', path: list, token });
    case 'reads-unlimited':
      return () => ({ method: 'GET', path: list, token: unlimitedToken });
    case 'changes':
      return (number) => changeOf(number, attacker, token);
    case 'changes-unlimited':
      return (number) => changeOf(number, attacker, unlimitedToken);
    case 'acknowledgments': {
      const acknowledgments = attacker.acknowledgments.map((event) => ({ ...event, outcome: 'applied' }));
      const body = JSON.stringify({ acknowledgments });
      return () => ({ method: 'POST', path: '/host/v1/acknowledgments', token: hostToken, body });
    }
    case 'long-polls':
      return (number) => ({ method: 'GET', path: `/host/v1/events?wait=30&after=${number % 7}`, token: hostToken });
    case 'huge-paths':
      return (number) => {
        const path = pick(number, [
          'x'.repeat(15_000),
          '/'.repeat(15_000),
          'a://a:'.repeat(2_500),
          '%41'.repeat(5_000),
        ]);
        return { method: 'GET', path: `/v2/${path}`, token: null };
      };
    case 'slow-connections':
      throw new Error('this flood sends no whole requests');
    case 'huge-headers':
      return (number) => {
        const size = number % 2 === 0 ? 14_000 : 20_000;
        return { method: 'GET', path: list, token: null, headers: { 'x-huge': 'x'.repeat(size) } };
      };
  }
}

/** Reserves, assigns, unassigns and releases in turns, without waiting for the outcome of the one before. */
function changeOf(number: number, attacker: Attacker, token: string): FloodRequest {
  const { addresses, dropletId, region } = attacker;
  const path = `/v2/reserved_ips/${pick(Math.floor(number / 4), addresses)}`;
  const change = { method: 'POST', path: `${path}/actions`, token } as const;
  return pick<() => FloodRequest>(number, [
    () => ({ method: 'POST', path: '/v2/reserved_ips', token, body: JSON.stringify({ region }) }),
    () => ({ ...change, body: JSON.stringify({ type: 'assign', droplet_id: dropletId }) }),
    () => ({ ...change, body: JSON.stringify({ type: 'unassign' }) }),
    () => ({ method: 'DELETE', path: '/v2/reserved_ips/192.0.2.1', token }),
  ])();
}

function pick<Item>(number: number, items: readonly Item[]): Item {
  const item = items[number % items.length];
  if (item === undefined) throw new Error('there is nothing to pick from');
  return item;
}

/** Holds connections on which a request comes in slowly, and opens another for each that is closed. */
async function holdConnections({ attacker, rate, milliseconds }: Flood): Promise<void> {
  const { hostname, port } = new URL(attacker.apiUrl);
  const open = new Set<Socket>();
  let ending = false;
  function hold(): void {
    if (ending) return;
    sent++;
    const socket = connect({ host: hostname, port: Number(port), localAddress: ADDRESS });
    socket.write('GET /v2/account HTTP/1.1\r\nHost: a\r\n');
    open.add(socket);
    socket.on('error', () => {});
    socket.on('data', (data) => count(Number(/^HTTP\/1\.1 (\d+)/.exec(data.toString())?.[1] ?? 0)));
    socket.on('close', () => {
      open.delete(socket);
      setTimeout(hold, 100 + Math.random() * 100);
    });
  }
  const begin = performance.now();
  while (performance.now() - begin < milliseconds) {
    for (let more = 0; more < 100 && sent < rate; more++) hold();
    for (const socket of open) if (socket.writable) socket.write('X-Drip: 1\r\n');
    await sleep(open.size < rate && sent < rate ? TICK_MS : DRIP_MS);
  }
  ending = true;
  for (const socket of open) socket.destroy();
}
