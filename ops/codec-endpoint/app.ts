import type { Payload, PayloadCodec } from '@temporalio/common';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { cors } from 'hono/cors';
import { HTTPException } from 'hono/http-exception';
import { jwk } from 'hono/jwk';
import { z } from 'zod';
import { PayloadUnreadableError } from '../../platform/temporal/payload-codec.ts';
import type { CodecAuthentication } from './settings.ts';

/** The most that Temporal shows on one page of a history. */
const MOST_BYTES = 16 * 1024 * 1024;

/** What {@link createCodecApp} needs. */
export interface CodecOptions {
  codec: PayloadCodec;
  namespace: string;
  /** Names and addresses by which browsers reach the endpoint, as they are in a URL. */
  names: readonly string[];
  /** Origins of the Web UI. */
  origins: readonly string[];
  /** Who may decode; null when the endpoint is reached from its own machine only. */
  authentication: CodecAuthentication | null;
}

const base64 = z.base64().transform((text) => Buffer.from(text, 'base64'));
const payloadSchema = z.object({ metadata: z.record(z.string(), base64).optional(), data: base64.optional() });
const bodySchema = z.object({ payloads: z.array(payloadSchema) });

/**
 * The remote codec that Temporal's Web UI and command line ask: `POST /decode` and `/encode` with payloads in Protobuf's
 * JSON form. A page of any other origin is rejected, also without a token; so is one that had its own name resolved to
 * this endpoint's address (DNS rebinding), for which no origin is foreign.
 */
export function createCodecApp({ codec, namespace, names, origins, authentication }: CodecOptions): Hono {
  const app = new Hono();
  app.use(async function ownNames(c, next) {
    if (!names.includes(new URL(c.req.url).hostname)) throw new HTTPException(403, { message: 'foreign host' });
    await next();
  });
  app.use(async function ownOrigins(c, next) {
    const origin = c.req.header('origin');
    if (origin !== undefined && !origins.includes(origin)) throw new HTTPException(403, { message: 'foreign origin' });
    await next();
  });
  app.use(
    cors({
      origin: [...origins],
      allowMethods: ['POST'],
      allowHeaders: ['Authorization', 'Content-Type', 'X-Namespace'],
      credentials: true,
    }),
  );
  if (authentication !== null) {
    const { jwksUrl, issuer, audience } = authentication;
    app.use(
      jwk({
        jwks_uri: jwksUrl,
        alg: ['RS256', 'ES256'],
        realm: 'codec',
        verification: { iss: issuer, aud: audience, exp: true, nbf: true },
      }),
    );
  }
  app.use(bodyLimit({ maxSize: MOST_BYTES }));
  app.use(async function ownNamespace(c, next) {
    const asked = c.req.header('x-namespace');
    if (asked !== undefined && asked !== namespace) throw new HTTPException(403, { message: 'foreign namespace' });
    await next();
  });
  app.post('/decode', async (c) => c.json(await convert(await readJson(c.req.raw), (list) => codec.decode(list))));
  app.post('/encode', async (c) => c.json(await convert(await readJson(c.req.raw), (list) => codec.encode(list))));
  app.onError((error, c) => {
    if (error instanceof HTTPException) return error.getResponse();
    if (error instanceof PayloadUnreadableError) return c.json({ message: error.message }, 422);
    return c.json({ message: 'internal error' }, 500);
  });
  return app;
}

async function readJson(request: Request): Promise<z.infer<typeof bodySchema>> {
  const body = await request.json().catch(() => undefined);
  const parsed = bodySchema.safeParse(body);
  if (!parsed.success) throw new HTTPException(400, { message: 'a list of payloads is needed' });
  return parsed.data;
}

async function convert(
  { payloads }: z.infer<typeof bodySchema>,
  by: (payloads: Payload[]) => Promise<Payload[]>,
): Promise<unknown> {
  const converted = await by(
    payloads.map(({ metadata, data }) => ({ metadata: metadata ?? null, data: data ?? null })),
  );
  return { payloads: converted.map(toJson) };
}

function toJson({ metadata, data }: Payload): unknown {
  const texts = Object.entries(metadata ?? {}).map(([name, bytes]) => [name, toBase64(bytes)]);
  return { metadata: Object.fromEntries(texts), ...(data && { data: toBase64(data) }) };
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
