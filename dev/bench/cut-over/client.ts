import { parseJson } from '../../kit/http.ts';
import { BenchClient } from '../http.ts';

/** An answer, whatever it says, and how long it took to be here as a whole. */
export interface TimedAnswer {
  status: number;
  /** Parsed JSON; undefined when empty or no JSON. */
  body: unknown;
  ms: number;
}

/** A customer over a kept-alive connection who takes every answer as it comes; 0 stands for a broken connection. */
export class Customer {
  readonly #client: BenchClient;

  constructor(baseUrl: string, token: string) {
    this.#client = new BenchClient(baseUrl, token);
  }

  /** Sends one request and reads its answer to the end. */
  async send(method: string, path: string, body?: unknown): Promise<TimedAnswer> {
    const began = performance.now();
    const { status, text } = await this.#client
      .exchange(method, path, body)
      .catch((error: unknown) => ({ status: 0, text: String(error) }));
    return { status, body: parseJson(text), ms: performance.now() - began };
  }

  close(): void {
    this.#client.close();
  }
}
