import { Agent, request } from 'node:http';

/** An answer, whatever it says, and how long it took to be here as a whole. */
export interface TimedAnswer {
  status: number;
  /** Parsed JSON; undefined when empty or no JSON. */
  body: unknown;
  ms: number;
}

/** A customer over a kept-alive connection who takes every answer as it comes; 0 stands for a broken connection. */
export class Customer {
  readonly #baseUrl: string;
  readonly #token: string;
  readonly #agent = new Agent({ keepAlive: true });

  constructor(baseUrl: string, token: string) {
    this.#baseUrl = baseUrl;
    this.#token = token;
  }

  /** Sends one request and reads its answer to the end. */
  send(method: string, path: string, body?: unknown): Promise<TimedAnswer> {
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const { promise, resolve } = Promise.withResolvers<TimedAnswer>();
    const began = performance.now();
    const end = (status: number, text: string) =>
      resolve({ status, body: parseJson(text), ms: performance.now() - began });
    const outgoing = request(`${this.#baseUrl}${path}`, {
      method,
      agent: this.#agent,
      headers: {
        authorization: `Bearer ${this.#token}`,
        ...(payload === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) }),
      },
    });
    outgoing.on('error', (error) => end(0, String(error)));
    outgoing.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', (error) => end(0, String(error)));
      response.on('end', () => end(response.statusCode ?? 0, Buffer.concat(chunks).toString()));
    });
    outgoing.end(payload);
    return promise;
  }

  close(): void {
    this.#agent.destroy();
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
