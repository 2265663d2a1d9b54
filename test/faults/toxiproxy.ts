import { z } from 'zod';
import type { ProcessSupervisor } from '../../dev/environment/processes.ts';
import { untilReady } from '../../dev/environment/ready.ts';

/** It takes a trouble away only when what it has delayed is through, which a peer that is held back keeps it from. */
const ANSWERED_WITHIN_MS = 30_000;

/** A connection as Toxiproxy carries it. */
export interface Proxy {
  name: string;
  /** Port on loopback that it takes connections on. */
  port: number;
  /** Port on loopback that it passes them on to. */
  upstreamPort: number;
}

const proxySchema = z.looseObject({ name: z.string(), enabled: z.boolean() });

/** Speaks to a running Toxiproxy server over its HTTP API. */
export class Toxiproxy {
  readonly #url: string;

  constructor(port: number) {
    this.#url = `http://127.0.0.1:${port}`;
  }

  /** Resolves when the server answers. */
  async ping(): Promise<void> {
    await this.#send('GET', '/version', null);
  }

  async add({ name, port, upstreamPort }: Proxy): Promise<void> {
    const proxy = { name, listen: `127.0.0.1:${port}`, upstream: `127.0.0.1:${upstreamPort}`, enabled: true };
    proxySchema.parse(await this.#send('POST', '/proxies', proxy));
  }

  /** Cuts all connections and takes no new ones, or takes them again. */
  async enable(name: string, enabled: boolean): Promise<void> {
    await this.#send('POST', `/proxies/${name}`, { enabled });
  }

  /** Troubles a connection in both directions until {@link heal}. */
  async trouble(name: string, type: string, attributes: Record<string, number>): Promise<void> {
    for (const stream of ['upstream', 'downstream']) {
      await this.#send('POST', `/proxies/${name}/toxics`, { name: `${type}-${stream}`, type, stream, attributes });
    }
  }

  /** Takes every trouble away. */
  async heal(name: string, type: string): Promise<void> {
    for (const stream of ['upstream', 'downstream']) {
      await this.#send('DELETE', `/proxies/${name}/toxics/${type}-${stream}`, null);
    }
  }

  async #send(method: string, path: string, body: unknown): Promise<unknown> {
    const response = await fetch(`${this.#url}${path}`, {
      method,
      ...(body === null ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      signal: AbortSignal.timeout(ANSWERED_WITHIN_MS),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`Toxiproxy: ${method} ${path}: ${response.status} ${text}`);
    return text === '' || !text.startsWith('{') ? null : JSON.parse(text);
  }
}

/** Starts a Toxiproxy server whose HTTP API is on `port` of loopback, and waits until it answers. */
export async function startToxiproxy(supervisor: ProcessSupervisor, command: string, port: number): Promise<Toxiproxy> {
  const process = await supervisor.start({
    name: 'toxiproxy',
    role: 'server',
    command,
    arguments: ['-host', '127.0.0.1', '-port', String(port)],
  });
  const toxiproxy = new Toxiproxy(port);
  await untilReady(process, 10_000, () => toxiproxy.ping());
  return toxiproxy;
}
