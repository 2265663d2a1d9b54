import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { startServer } from '../../platform/http/server.ts';
import { useApp } from '../support/app.ts';
import { useWorld } from '../support/world.ts';

/** The API with little timeouts, so that the tests need not have more. */
async function useServerWithShortTimeouts(): Promise<number> {
  const app = await useApp();
  const limits = { headersMs: 300, requestMs: 600, checkMs: 50 };
  const { server, port } = await startServer({ fetch: app.fetch, host: '127.0.0.1', port: 0, limits });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return port;
}

function open(port: number): Socket {
  const socket = connect({ host: '127.0.0.1', port });
  socket.on('error', () => socket.destroy());
  onTestFinished(() => {
    socket.destroy();
  });
  return socket;
}

/** Sends something and answers all that comes until the server closes the connection. */
function exchange(port: number, sent: string): Promise<string> {
  const socket = open(port);
  socket.write(sent);
  return received(socket);
}

/** All that came by the time the connection was closed or reset. */
async function received(socket: Socket): Promise<string> {
  let text = '';
  socket.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  await once(socket, 'close');
  return text;
}

const portOf = (url: string) => Number(new URL(url).port);

describe('a caller that is slow', () => {
  test('with its headers is answered 408 and closed', async () => {
    const port = await useServerWithShortTimeouts();
    const answer = await exchange(port, 'GET /v2/account HTTP/1.1\r\nHost: api\r\nX-Slow: ');
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
  });

  test('and sends a byte now and then, as to hold the connection for ever, is closed all the same', async () => {
    const port = await useServerWithShortTimeouts();
    const socket = open(port);
    socket.write('GET /v2/account HTTP/1.1\r\nHost: api\r\n');
    const drip = setInterval(() => socket.write('X-Drip: 1\r\n'), 50);
    const answer = await received(socket).finally(() => clearInterval(drip));
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
  });

  test('with its body is answered and closed', async () => {
    const port = await useServerWithShortTimeouts();
    const { token } = (await (await useWorld({ agents: 0 })).account()).http;
    const head = `POST /v2/reserved_ips HTTP/1.1\r\nHost: api\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{`;
    expect(await exchange(port, head)).toMatch(/^HTTP\/1\.1 4\d\d |^$/);
  });

  test('holds up nobody else', async () => {
    const port = await useServerWithShortTimeouts();
    const slow = Array.from({ length: 200 }, () => {
      const socket = open(port);
      socket.write('GET / HTTP/1.1\r\n');
      return received(socket);
    });
    const answer = await fetch(`http://127.0.0.1:${port}/healthz`);
    expect(answer.status).toBe(200);
    await Promise.all(slow);
  });
});

describe('a request that is too large', () => {
  test.each([
    ['in its headers', `GET /v2/account HTTP/1.1\r\nHost: api\r\nX-Large: ${'x'.repeat(20_000)}\r\n\r\n`],
    ['in its path', `GET /v2/${'x'.repeat(20_000)} HTTP/1.1\r\nHost: api\r\n\r\n`],
  ])('%s is answered 431 by every process', async (_, sent) => {
    for (const url of [inject('environment').apiUrl, inject('environment').secondApiUrl]) {
      expect(await exchange(portOf(url), sent)).toMatch(/^HTTP\/1\.1 431 /);
    }
  });

  test.each(['/v2/reserved_ips', '/internal/v1/pools'])('in its body is answered 413 under %s', async (path) => {
    const world = await useWorld({ agents: 0 });
    const http = path.startsWith('/v2') ? (await world.account()).http : world.admin;
    const answer = await http.send('POST', path, { rawBody: JSON.stringify({ region: 'x'.repeat(70_000) }) });
    expect(answer.status).toBe(413);
  });
});

test('a host cannot ask for a longer poll than the protocol allows', async () => {
  const world = await useWorld({ agents: 0, manualHosts: 1 });
  const answer = await world.manualHosts[0]?.http.get('/host/v1/events?after=0&wait=3600');
  expect(answer?.status).toBe(422);
});
