import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { Server as TlsServer } from 'node:tls';
import { listenOnLoopback } from '../environment/ports.ts';

/** Where a {@link Relay} leads to, and what it does on the way. */
export interface RelayOptions {
  /** `host:port` */
  target: string;
  /** Takes the connections; default a plain TCP server. */
  server?: Server;
  /** Its port on loopback; default any free one. */
  port?: number;
  /** Called for each connection; unless it answers true, the connection is not passed on. */
  accept?: (client: Socket) => boolean;
  /** What is passed on in the place of what came, from either side; default the same. */
  change?: (chunk: Buffer, from: 'client' | 'server') => Buffer;
}

/** A TCP server on loopback that passes connections on to another one. */
export class Relay {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets: ReadonlySet<Socket>;

  private constructor(server: Server, port: number, sockets: ReadonlySet<Socket>) {
    this.#server = server;
    this.port = port;
    this.#sockets = sockets;
  }

  /** Starts one. */
  static async start(options: RelayOptions): Promise<Relay> {
    const { target, server = createServer(), accept = () => true, change = (chunk) => chunk } = options;
    const [host = '', targetPort = ''] = target.split(':');
    const sockets = new Set<Socket>();
    const keep = (socket: Socket) => {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => socket.destroy());
      socket.once('close', () => sockets.delete(socket));
    };
    const passOn = (from: Socket, to: Socket, side: 'client' | 'server') => {
      from.on('data', (chunk: Buffer) => {
        if (!to.write(change(chunk, side))) from.pause();
      });
      to.on('drain', () => from.resume());
      from.once('end', () => to.end());
      from.once('close', () => to.destroy());
    };
    const take = (client: Socket) => {
      keep(client);
      if (!accept(client)) return;
      const upstream = connect({ host, port: Number(targetPort) });
      keep(upstream);
      passOn(client, upstream, 'client');
      passOn(upstream, client, 'server');
    };
    server.on(server instanceof TlsServer ? 'secureConnection' : 'connection', take);
    return new Relay(server, await listenOnLoopback(server, options.port ?? 0), sockets);
  }

  /** `host:port` of this end. */
  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Breaks what is connected. */
  breakAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.breakAll();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
