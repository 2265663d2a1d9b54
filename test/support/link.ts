import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { listenOnLoopback } from '../../dev/environment/ports.ts';

/** What a {@link Link} does with whoever connects. */
export type LinkState = 'open' | 'refusing' | 'silent';

/** A TCP connection on the way to a server, which a test can cut, silence and repair. */
export class Link {
  readonly port: number;
  readonly #target: { host: string; port: number };
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  #state: LinkState = 'open';

  private constructor(server: Server, port: number, target: { host: string; port: number }) {
    this.#server = server;
    this.port = port;
    this.#target = target;
    server.on('connection', (socket) => this.#accept(socket));
  }

  /** A link to `host:port`, on a port of its own. */
  static async to(target: string): Promise<Link> {
    const [host = '', port = ''] = target.split(':');
    const server = createServer();
    return new Link(server, await listenOnLoopback(server), { host, port: Number(port) });
  }

  /** `host:port` of this end. */
  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Breaks what is connected. From now on connections are let through, broken at once, or accepted and left alone. */
  become(state: LinkState): void {
    this.#state = state;
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.become('refusing');
    this.#server.close();
    await once(this.#server, 'close');
  }

  #accept(socket: Socket): void {
    this.#keep(socket);
    if (this.#state === 'refusing') socket.destroy();
    if (this.#state !== 'open') return;
    const onward = connect(this.#target);
    this.#keep(onward);
    socket.pipe(onward).pipe(socket);
    socket.once('close', () => onward.destroy());
    onward.once('close', () => socket.destroy());
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => this.#sockets.delete(socket));
  }
}

/** A link of the running test, closed when it is over. */
export async function useLink(target: string): Promise<Link> {
  const link = await Link.to(target);
  onTestFinished(() => link.close());
  return link;
}
