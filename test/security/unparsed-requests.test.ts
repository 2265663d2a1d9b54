import { once } from 'node:events';
import { connect } from 'node:net';
import { InMemoryProvider } from '@openfeature/server-sdk';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { startServer } from '../../platform/http/server.ts';
import { useGateway } from '../support/gateway.ts';
import { exchange, type RawAnswer } from '../support/raw-http.ts';
import { useUpstream } from '../support/recording-upstream.ts';

/*
 * What Node's parser rejects is answered in the v2 form all the same.
 */

function expectV2Form(answer: RawAnswer | undefined, status: number, id: string): void {
  expect(answer?.status).toBe(status);
  expect(answer?.headers.get('content-type')).toBe('application/json; charset=utf-8');
  expect(answer?.body).toEqual({
    id,
    message: expect.stringMatching(/\.$/),
    request_id: answer?.headers.get('x-request-id'),
  });
  expect(answer?.headers.get('connection')).toBe('close');
}

describe.each(['API', 'gateway'])('the %s answers in the v2 form', (name) => {
  async function url(): Promise<string> {
    if (name === 'API') return inject('environment').apiUrl;
    const upstream = await useUpstream('upstream');
    const provider = new InMemoryProvider({});
    return (await useGateway({ legacyUrl: upstream.url, apiUrl: upstream.url, provider })).url;
  }

  test.each([
    [
      'a header of 20 kB',
      `GET /v2/account HTTP/1.1\r\nHost: a\r\nX-Large: ${'x'.repeat(20_000)}\r\n\r\n`,
      431,
      'request_header_fields_too_large',
    ],
    [
      'a path of 20 kB',
      `GET /v2/${'x'.repeat(20_000)} HTTP/1.1\r\nHost: a\r\n\r\n`,
      431,
      'request_header_fields_too_large',
    ],
    ['a method that is none', 'BREW /v2/account HTTP/1.1\r\nHost: a\r\n\r\n', 400, 'bad_request'],
    [
      'two lengths',
      'POST /v2/reserved_ips HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
      'bad_request',
    ],
    [
      'a length twice',
      'POST /v2/reserved_ips HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}',
      400,
      'bad_request',
    ],
    ['a NUL in its path', 'GET /v2/\0 HTTP/1.1\r\nHost: a\r\n\r\n', 400, 'bad_request'],
    ['a line break alone in a header', 'GET /v2/account HTTP/1.1\r\nHost: a\r\nX: a\nb\r\n\r\n', 400, 'bad_request'],
    ['a space before a colon', 'GET /v2/account HTTP/1.1\r\nHost : a\r\n\r\n', 400, 'bad_request'],
    ['another version', 'GET /v2/account HTTP/3.0\r\nHost: a\r\n\r\n', 400, 'bad_request'],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400, 'bad_request'],
    ['CONNECT', 'CONNECT api:443 HTTP/1.1\r\nHost: api:443\r\n\r\n', 400, 'bad_request'],
    ['OPTIONS *', 'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n', 400, 'bad_request'],
    ['no Host', 'GET /v2/account HTTP/1.1\r\n\r\n', 400, 'bad_request'],
    ['an expectation', 'GET /v2/account HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n', 417, 'expectation_failed'],
  ])('%s', async (_, bytes, status, id) => {
    const answers = await exchange(await url(), bytes);
    expect(answers.length).toBe(1);
    expectV2Form(answers[0], status, id);
  });
});

test('a request that does not arrive in time is answered in the v2 form', async () => {
  const limits = { headersMs: 200, requestMs: 400, checkMs: 50 };
  const { server, port } = await startServer({ fetch: () => new Response(), host: '127.0.0.1', port: 0, limits });
  onTestFinished(() => {
    server.close();
  });
  const [answer] = await exchange(`http://127.0.0.1:${port}`, 'GET / HTTP/1.1\r\nHost: a\r\nX: ');
  expectV2Form(answer, 408, 'request_timeout');
});

test('a request that came whole is answered before what comes after it on its connection', async () => {
  const answering = Promise.withResolvers<Response>();
  const asked = Promise.withResolvers<void>();
  const { server, port } = await startServer({
    fetch: () => {
      asked.resolve();
      return answering.promise;
    },
    host: '127.0.0.1',
    port: 0,
  });
  onTestFinished(() => {
    server.close();
  });
  const exchanging = exchange(
    `http://127.0.0.1:${port}`,
    'DELETE /v2/x HTTP/1.1\r\nHost: a\r\n\r\nBREW / HTTP/1.1\r\n\r\n',
  );
  await asked.promise;
  answering.resolve(new Response(null, { status: 204, headers: { 'content-length': '0' } }));
  const answers = await exchanging;
  expect(answers.map(({ status }) => status)).toEqual([204, 400]);
  expectV2Form(answers[1], 400, 'bad_request');
});

test('a client that resets its connection leaves nothing behind', async () => {
  const { server, port } = await startServer({ fetch: () => new Response('x'), host: '127.0.0.1', port: 0 });
  onTestFinished(() => {
    server.close();
  });
  for (let count = 0; count < 20; count++) {
    const socket = connect({ host: '127.0.0.1', port });
    await once(socket, 'connect');
    socket.write('GET / HT');
    socket.resetAndDestroy();
    await once(socket, 'close');
  }
  const [answer] = await exchange(`http://127.0.0.1:${port}`, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  expect(answer?.status).toBe(200);
});
