import { InMemoryProvider } from '@openfeature/server-sdk';
import { describe, expect, test } from 'vitest';
import { until } from '../../dev/kit/until.ts';
import { CODE_PATHS } from '../../edge/code-paths.ts';
import { readBody } from '../../platform/http/read-body.ts';
import { useGateway } from '../support/gateway.ts';
import { exchange } from '../support/raw-http.ts';
import { useUpstream } from '../support/recording-upstream.ts';

const LARGEST = 65_536;
const TOO_LARGE = {
  id: 'payload_too_large',
  message: 'The request body may be 65536 bytes at most.',
  request_id: expect.any(String),
};

/** Both upstreams, and a gateway with every flag off, or on. */
async function useUpstreams(isOn: boolean) {
  const [legacy, fresh] = [await useUpstream('legacy'), await useUpstream('new')];
  const flag = { variants: { new: true, legacy: false }, defaultVariant: isOn ? 'new' : 'legacy', disabled: false };
  const provider = new InMemoryProvider(Object.fromEntries(CODE_PATHS.map((codePath) => [codePath, flag])));
  const gateway = await useGateway({ legacyUrl: legacy.url, apiUrl: fresh.url, provider });
  return { legacy, fresh, gateway, asked: isOn ? fresh : legacy };
}

/** A JSON text of so many bytes, which asks for an address. */
function bodyOf(bytes: number, start = '{"region":"nyc3","type":"unassign","x":"'): string {
  return `${start}${'x'.repeat(bytes - start.length - 2)}"}`;
}

function post(path: string, headers: string[], body: string): string {
  return [`POST ${path} HTTP/1.1`, 'Host: edge', 'Connection: close', ...headers, '', body].join('\r\n');
}

function chunked(body: string, size: number): string {
  const chunks = body.match(new RegExp(`.{1,${size}}`, 'gs')) ?? [];
  return [...chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`), '0\r\n\r\n'].join('');
}

describe.each([false, true])('with every flag on: %s,', (isOn) => {
  test.each(['/v2/reserved_ips', '/v2/floating_ips/192.0.2.1/actions'])(
    'a body of 65,536 bytes to %s goes by its flag, and one byte more is a 413 that no upstream hears of',
    async (path) => {
      const { gateway, asked, legacy, fresh } = await useUpstreams(isOn);
      const whole = bodyOf(LARGEST);
      for (const request of [
        post(path, [`Content-Length: ${LARGEST}`], whole),
        post(path, ['Transfer-Encoding: chunked'], chunked(whole, 1_000)),
      ]) {
        const [answer] = await exchange(gateway.url, request);
        expect(answer?.status).toBe(200);
        expect(asked.last.body.toString()).toBe(whole);
      }
      const arrived = legacy.begun + fresh.begun;
      const larger = bodyOf(LARGEST + 1);
      for (const request of [
        post(path, [`Content-Length: ${LARGEST + 1}`], larger),
        post(path, ['Transfer-Encoding: chunked'], chunked(larger, 1_000)),
        post(path, ['Transfer-Encoding: chunked'], chunked(larger, 70_000)),
        post(path, ['Expect: 100-continue', `Content-Length: ${LARGEST + 1}`], larger),
        post(path, ['Transfer-Encoding: chunked'], chunked(bodyOf(3_000_000), 64_000)),
      ]) {
        const [answer] = await exchange(gateway.url, request);
        expect([answer?.status, answer?.body]).toEqual([413, TOO_LARGE]);
        expect(answer?.headers.get('content-type')).toBe('application/json; charset=utf-8');
        expect(answer?.headers.get('x-request-id')).toBe(Object(answer?.body).request_id);
      }
      expect(legacy.begun + fresh.begun).toBe(arrived);
    },
  );
});

test('a length that is not true reaches no upstream: what is missing is waited for, what is too much is no body', async () => {
  const { gateway, legacy, fresh } = await useUpstreams(true);
  const declared = post('/v2/reserved_ips', ['Content-Length: 70000'], '{"region":"nyc3"}');
  const [cut] = await exchange(gateway.url, declared);
  expect([cut?.status, cut?.headers.get('connection')]).toEqual([413, 'close']);
  expect(legacy.begun + fresh.begun).toBe(0);
  const both = post(
    '/v2/reserved_ips',
    ['Content-Length: 5', 'Transfer-Encoding: chunked'],
    chunked('{"region":"nyc3"}', 9),
  );
  const [smuggled] = await exchange(gateway.url, both);
  expect(smuggled?.status).toBe(400);
  expect(legacy.begun + fresh.begun).toBe(0);
});

test('a path without a flag takes bodies of any size, for the upstreams to judge', async () => {
  const { gateway, legacy } = await useUpstreams(true);
  const body = bodyOf(300_000);
  const [answer] = await exchange(gateway.url, post('/v2/droplets', ['Content-Length: 300000'], body));
  expect(answer?.status).toBe(200);
  expect(legacy.last.body.length).toBe(300_000);
});

describe('a body that is too large', () => {
  const limits = { maxBytes: 10, mostReadBytes: 100, mostReadMs: 50 };

  test('is read to its end, so that the client reads the answer', async () => {
    let given = 0;
    const read = await readBody(
      pieces(9, () => given++),
      null,
      limits,
    );
    expect([read, given]).toEqual([{ kept: null, whole: true }, 9]);
  });

  test('is cut off beyond all measure', async () => {
    let given = 0;
    const read = await readBody(
      pieces(1_000, () => given++),
      null,
      limits,
    );
    expect(read).toEqual({ kept: null, whole: false });
    expect(given).toBeLessThan(15);
  });

  test.each([
    ['that never ends', null],
    ['of which the length is said, and nothing comes', 11],
  ])('%s is cut off in time', async (_, declared) => {
    let isAsked = false;
    async function* slow(): AsyncGenerator<Uint8Array> {
      if (declared === null) yield Buffer.alloc(11);
      isAsked = true;
      await new Promise(() => {});
    }
    const reading = readBody(slow(), declared, limits);
    await until('the body was waited for', async () => isAsked);
    expect(await reading).toEqual({ kept: null, whole: false });
  });
});

/** A body of so many pieces of 10 bytes. */
async function* pieces(count: number, onGiven: () => void): AsyncGenerator<Uint8Array> {
  for (let number = 0; number < count; number++) {
    onGiven();
    yield Buffer.alloc(10);
  }
}
