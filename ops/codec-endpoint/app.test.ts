import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { getRequestListener } from '@hono/node-server';
import type { Payload } from '@temporalio/common';
import { Hono } from 'hono';
import { sign } from 'hono/jwt';
import { describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { ConfigurationError } from '../../platform/config/settings.ts';
import { startServer } from '../../platform/http/server.ts';
import { createPayloadCodec } from '../../platform/temporal/payload-codec.ts';
import { useHttpServer } from '../../test/support/http-server.ts';
import { exchange } from '../../test/support/raw-http.ts';
import { type CodecOptions, createCodecApp } from './app.ts';
import { parseCodecEndpointConfiguration } from './settings.ts';

const UI = 'https://temporal.example';
const key = { id: 'k', key: randomBytes(32) };
const codec = createPayloadCodec({ active: key, all: [key] });

function appOf(options: Partial<CodecOptions> = {}) {
  return createCodecApp({
    codec,
    namespace: 'default',
    names: ['localhost'],
    origins: [UI],
    authentication: null,
    ...options,
  });
}

function jsonOf(payloads: Payload[]) {
  return payloads.map(({ metadata, data }) => ({
    metadata: Object.fromEntries(
      Object.entries(metadata ?? {}).map(([name, bytes]) => [name, Buffer.from(bytes).toString('base64')]),
    ),
    data: Buffer.from(data ?? []).toString('base64'),
  }));
}

const plain = [{ metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('{"droplet":7}') }];

function post(path: string, payloads: unknown, headers: Record<string, string> = {}): [string, RequestInit] {
  const body = JSON.stringify({ payloads });
  return [path, { method: 'POST', body, headers: { 'content-type': 'application/json', origin: UI, ...headers } }];
}

describe('the codec endpoint', () => {
  test('decodes and encodes what the Web UI sends, and lets the Web UI read the answer', async () => {
    const app = appOf();
    const decoded = await app.request(
      ...post('/decode', jsonOf(await codec.encode(plain)), { 'x-namespace': 'default' }),
    );
    expect(decoded.status).toBe(200);
    expect(decoded.headers.get('access-control-allow-origin')).toBe(UI);
    expect(await decoded.json()).toEqual({ payloads: jsonOf(plain) });

    const encoded = z
      .object({ payloads: z.tuple([z.object({ metadata: z.record(z.string(), z.base64()), data: z.base64() })]) })
      .parse(await (await app.request(...post('/encode', jsonOf(plain)))).json());
    const { payloads } = encoded;
    expect(Buffer.from(payloads[0].metadata.encoding ?? '', 'base64').toString()).toBe('binary/encrypted');
    expect(await (await app.request(...post('/decode', payloads))).json()).toEqual({ payloads: jsonOf(plain) });
  });

  test('answers the question of a browser before it sends the headers of the Web UI', async () => {
    const answer = await appOf().request('/decode', {
      method: 'OPTIONS',
      headers: {
        origin: UI,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type,x-namespace',
      },
    });
    expect(answer.status).toBe(204);
    expect(answer.headers.get('access-control-allow-headers')?.toLowerCase()).toContain('x-namespace');
    expect(answer.headers.get('access-control-allow-credentials')).toBe('true');
  });

  test('rejects pages of other origins, other namespaces, and what is not a list of payloads', async () => {
    const encrypted = jsonOf(await codec.encode(plain));
    const status = async (...request: [string, RequestInit]) => (await appOf().request(...request)).status;
    expect(await status(...post('/decode', encrypted, { origin: 'https://evil.example' }))).toBe(403);
    expect(await status(...post('/decode', encrypted, { 'x-namespace': 'other' }))).toBe(403);
    expect(await status(...post('/decode', 'nothing'))).toBe(400);
    expect(await status(...post('/decode', [{ data: '%%%' }]))).toBe(400);
    expect(await status('/decode', { method: 'GET' })).toBe(404);
  });

  test('rejects a page that had its own name resolved to the address of the endpoint', async () => {
    const app = appOf({ names: ['127.0.0.1', '[::1]', 'localhost'] });
    const { server, port } = await startServer({ fetch: app.fetch, host: '127.0.0.1', port: 0 });
    onTestFinished(() => {
      server.close();
    });
    const body = JSON.stringify({ payloads: jsonOf(await codec.encode(plain)) });
    const statusFor = async (host: string, headers: string[]) => {
      const lines = [`POST /decode HTTP/1.1`, `Host: ${host}`, ...headers, `Content-Length: ${body.length}`];
      const bytes = [...lines, 'Content-Type: application/json', 'Connection: close', '', body].join('\r\n');
      return (await exchange(`http://127.0.0.1:${port}`, bytes))[0]?.status;
    };
    for (const name of ['127.0.0.1', 'localhost', 'LOCALHOST', '[::1]', '[0:0::1]']) {
      for (const host of [name, `${name}:${port}`]) expect(await statusFor(host, [`Origin: ${UI}`]), host).toBe(200);
    }
    for (const host of [
      'evil.example',
      `evil.example:${port}`,
      'localhost.evil.example',
      '127.0.0.2',
      '[::2]',
      'a_b',
    ]) {
      // A page has no foreign origin there: to its browser, the endpoint is its own server.
      for (const headers of [[], [`Origin: ${UI}`]]) expect(await statusFor(host, headers), host).toBe(403);
    }
    for (const host of ['1/decode?', 'localhost.', '2130706433', 'user@localhost', 'localhost/@evil.example', '']) {
      expect(await statusFor(host, []), host).toBe(400);
    }
  });

  test('says which key is missing', async () => {
    const other = createPayloadCodec({ active: { id: 'lost', key: key.key }, all: [] });
    const answer = await appOf().request(...post('/decode', jsonOf(await other.encode(plain))));
    expect(answer.status).toBe(422);
    expect(await answer.json()).toMatchObject({ message: expect.stringContaining('"lost"') });
  });

  test('takes the access tokens of its identity provider and no others, when it has one', async () => {
    const { url, issue } = await useIdentityProvider();
    const app = appOf({ authentication: { jwksUrl: url, issuer: 'https://id.example', audience: 'codec' } });
    const encrypted = jsonOf(await codec.encode(plain));
    const status = async (token?: string) => {
      const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
      return (await app.request(...post('/decode', encrypted, headers))).status;
    };
    const now = Math.floor(Date.now() / 1000);
    const good = { iss: 'https://id.example', aud: 'codec', exp: now + 60 };
    expect(await status(await issue(good))).toBe(200);
    expect(await status()).toBe(401);
    expect(await status(await issue({ ...good, exp: now - 60 }))).toBe(401);
    expect(await status(await issue({ ...good, aud: 'another service' }))).toBe(401);
    expect(await status(await issue({ ...good, iss: 'https://evil.example' }))).toBe(401);
    const forger = await useIdentityProvider();
    expect(await status(await forger.issue(good))).toBe(401);
  });
});

test('the codec endpoint does not listen beyond its machine without an identity provider', () => {
  const TEMPORAL_CODEC_KEYS = `k:${key.key.toString('base64')}`;
  expect(() => parseCodecEndpointConfiguration({ TEMPORAL_CODEC_KEYS, CODEC_HOST: '0.0.0.0' })).toThrow(
    ConfigurationError,
  );
  expect(parseCodecEndpointConfiguration({ TEMPORAL_CODEC_KEYS })).toMatchObject({ host: '127.0.0.1', port: 8234 });
});

test('the codec endpoint knows by which names it is reached', () => {
  const keys = { TEMPORAL_CODEC_KEYS: `k:${key.key.toString('base64')}` };
  const identity = { CODEC_JWKS_URL: 'https://id.example', CODEC_JWT_ISSUER: 'a', CODEC_JWT_AUDIENCE: 'b' };
  const namesFor = (settings: Record<string, string>) =>
    parseCodecEndpointConfiguration({ ...keys, ...identity, ...settings }).names;
  expect(namesFor({})).toEqual(['127.0.0.1', '[::1]', 'localhost']);
  expect(namesFor({ CODEC_HOST: '10.0.0.1' })).toEqual(['10.0.0.1']);
  expect(namesFor({ CODEC_HOST: '::', CODEC_HOSTS: 'Codec.example, 2001:db8::0:1' })).toEqual([
    'codec.example',
    '[2001:db8::1]',
  ]);
  expect(() => namesFor({ CODEC_HOST: '0.0.0.0' })).toThrow('CODEC_HOSTS: is needed');
  for (const wrong of ['[::1]:8234', 'http://codec.example', '1', 'a,,b']) {
    expect(() => namesFor({ CODEC_HOSTS: wrong }), wrong).toThrow('is no name or address');
  }
});

/** A server that publishes its keys, as identity providers do. */
async function useIdentityProvider() {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const signingKey = { ...privateKey.export({ format: 'jwk' }), kid: 'one', alg: 'ES256' };
  const app = new Hono().get('/keys', (c) =>
    c.json({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'one', alg: 'ES256', use: 'sig' }] }),
  );
  const url = await useHttpServer(getRequestListener(app.fetch));
  return {
    url: `${url}/keys`,
    issue: (claims: Record<string, unknown>) => sign(claims, signingKey, 'ES256'),
  };
}
