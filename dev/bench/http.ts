import * as http from 'node:http';
import * as https from 'node:https';
import type { z } from 'zod';
import { parseJson } from '../kit/http.ts';

/** How a {@link BenchClient} connects. */
export interface BenchClientOptions {
  /** Whether a connection is kept for the next call; default true. Otherwise each call makes one, and no TLS session is resumed. */
  keepAlive?: boolean;
  /** PEM of the authority that an https server's certificate must be of. */
  certificateAuthority?: string;
}

/** An answer, whatever it says, and how long it took to be here as a whole. */
export interface TimedAnswer {
  status: number;
  /** Parsed JSON; undefined when empty or no JSON. */
  body: unknown;
  ms: number;
}

/** A caller of the API; node:http, because fetch costs the caller more than the API. */
export class BenchClient {
  readonly #apiUrl: string;
  readonly #token: string;
  readonly #agent: http.Agent;
  readonly #request: typeof http.request;

  constructor(apiUrl: string, token: string, options: BenchClientOptions = {}) {
    const { keepAlive = true, certificateAuthority: ca } = options;
    this.#apiUrl = apiUrl;
    this.#token = token;
    const encrypted = apiUrl.startsWith('https:');
    this.#request = encrypted ? https.request : http.request;
    this.#agent = encrypted
      ? new https.Agent({ keepAlive, maxSockets: 64, maxCachedSessions: 0, ...(ca !== undefined && { ca }) })
      : new http.Agent({ keepAlive, maxSockets: 64 });
  }

  /** Sends one request and reads its JSON, undefined when there is none; throws on any status but the expected. */
  async send<Schema extends z.ZodType>(
    expected: { method: 'GET' | 'POST' | 'PUT' | 'DELETE'; path: string; status: number; schema: Schema },
    body?: unknown,
  ): Promise<z.infer<Schema>> {
    const { method, path, status, schema } = expected;
    const answer = await this.exchange(method, path, body);
    if (answer.status !== status) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
    return schema.parse(answer.text === '' ? undefined : JSON.parse(answer.text));
  }

  /** Sends one request and reads its answer to the end, whatever it says; throws when the connection breaks. */
  exchange(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<{ status: number; text: string }> {
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>();
    const outgoing = this.#request(`${this.#apiUrl}${path}`, {
      method,
      agent: this.#agent,
      headers: {
        ...headers,
        authorization: `Bearer ${this.#token}`,
        ...(payload === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) }),
      },
    });
    outgoing.on('error', reject);
    outgoing.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }));
    });
    outgoing.end(payload);
    return promise;
  }

  /** Sends one request and reads its answer to the end, with the time that it took; status 0 is a broken connection. */
  async timed(method: string, path: string, body?: unknown): Promise<TimedAnswer> {
    const began = performance.now();
    const { status, text } = await this.exchange(method, path, body).catch((error: unknown) => ({
      status: 0,
      text: String(error),
    }));
    return { status, body: parseJson(text), ms: performance.now() - began };
  }

  close(): void {
    this.#agent.destroy();
  }
}
