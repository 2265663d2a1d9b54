import { Agent, request } from 'node:http';
import type { z } from 'zod';

/** A caller of the API over kept-alive connections; node:http, because fetch costs the caller more than the API. */
export class BenchClient {
  readonly #apiUrl: string;
  readonly #token: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });

  constructor(apiUrl: string, token: string) {
    this.#apiUrl = apiUrl;
    this.#token = token;
  }

  /** Sends one request and reads its JSON; throws on any status but the expected. */
  send<Schema extends z.ZodType>(
    expected: { method: 'GET' | 'POST' | 'PUT'; path: string; status: number; schema: Schema },
    body?: unknown,
  ): Promise<z.infer<Schema>> {
    const { method, path, status, schema } = expected;
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const { promise, resolve, reject } = Promise.withResolvers<z.infer<Schema>>();
    const outgoing = request(`${this.#apiUrl}${path}`, {
      method,
      agent: this.#agent,
      headers: {
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
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        if (response.statusCode !== status)
          return reject(new Error(`${method} ${path}: ${response.statusCode} ${text}`));
        resolve(schema.parse(JSON.parse(text)));
      });
    });
    outgoing.end(payload);
    return promise;
  }

  close(): void {
    this.#agent.destroy();
  }
}
