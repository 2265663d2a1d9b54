import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { onTestFinished } from 'vitest';
import { z } from 'zod';
import { listenOnLoopback } from '../../dev/environment/ports.ts';
import { expectAnswer, Http } from '../../dev/kit/http.ts';

/** A request exactly as it arrived. */
export interface Arrival {
  method: string;
  url: string;
  headers: IncomingMessage['headers'];
  /** Names and values, one after the other. */
  rawHeaders: string[];
  body: Buffer;
}

/** What an upstream does as soon as a request begins; by default it answers `{"served_by": …}` when all of it is there. */
export type Respond = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

/** An HTTP server that writes down all that reaches it. */
export class RecordingUpstream {
  readonly name: string;
  readonly url: string;
  /** What has arrived to its end. */
  readonly arrivals: Arrival[] = [];
  /** Connections that were opened, ever. */
  connections = 0;
  /** Requests that have begun to arrive. */
  begun = 0;
  /** Requests whose connection ended before the answer had. */
  abandoned = 0;
  /** How requests are answered from now on. */
  respond: Respond;
  readonly #server: Server;

  private constructor(name: string, server: Server, url: string) {
    this.name = name;
    this.url = url;
    this.#server = server;
    this.respond = async (request, response) => {
      await once(request, 'end');
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ served_by: name }));
    };
    server.on('connection', () => this.connections++);
    server.on('request', (request, response) => void this.#take(request, response));
  }

  static async start(name: string): Promise<RecordingUpstream> {
    const server = createServer();
    return new RecordingUpstream(name, server, `http://127.0.0.1:${await listenOnLoopback(server)}`);
  }

  /** The last request that arrived. */
  get last(): Arrival {
    const last = this.arrivals.at(-1);
    if (!last) throw new Error(`nothing has arrived at ${this.name}`);
    return last;
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.begun++;
    response.once('close', () => {
      if (!response.writableFinished) this.abandoned++;
    });
    const { method = '', url = '', headers, rawHeaders } = request;
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => this.arrivals.push({ method, url, headers, rawHeaders, body: Buffer.concat(chunks) }));
    request.on('error', () => {});
    await Promise.resolve(this.respond(request, response)).catch(() => response.destroy());
  }
}

/** An upstream of the running test, closed when it is over. */
export async function useUpstream(name: string): Promise<RecordingUpstream> {
  const upstream = await RecordingUpstream.start(name);
  onTestFinished(() => upstream.close());
  return upstream;
}

/** Which upstream answers a caller without a token. */
export async function servedBy(url: string, path = '/v2/reserved_ips'): Promise<string> {
  return expectAnswer(await new Http(url, null).get(path), 200, z.object({ served_by: z.string() })).served_by;
}
