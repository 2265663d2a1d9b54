import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** Options of {@link startDroppingProxy}. */
export interface DroppingProxyOptions {
  /** Where it leads to. */
  target: { host: string; port: number };
  /** Connections on which that is sent next are left alone: what a process does for itself all the time. */
  spare?: RegExp;
}

/** A way to a server on which single connections are lost. */
export interface DroppingProxy {
  readonly port: number;
  /**
   * The next connection on which a statement is sent is lost before it arrives, or the one after so many statements.
   * Resolves when that has happened; a call to `disarm` before leaves all of them alone.
   */
  dropNext(options?: { afterStatements?: number }): Promise<void>;
  disarm(): void;
  close(): void;
}

/** Starts one on a free loopback port. */
export async function startDroppingProxy({ target, spare }: DroppingProxyOptions): Promise<DroppingProxy> {
  const sockets = new Set<Socket>();
  let armed: { left: number; dropped(): void } | null = null;

  const server: Server = createServer((client) => {
    const upstream = connect(target.port, target.host);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.once('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.on('data', (data) => {
      if (armed && isStatement(data) && !spare?.test(data.toString('latin1'))) {
        if (armed.left-- === 0) {
          const { dropped } = armed;
          armed = null;
          client.resetAndDestroy();
          dropped();
          return;
        }
      }
      if (!upstream.write(data)) client.pause();
    });
    upstream.on('drain', () => client.resume());
    upstream.pipe(client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    port: address.port,
    dropNext({ afterStatements = 0 } = {}) {
      const { promise, resolve } = Promise.withResolvers<void>();
      armed = { left: afterStatements, dropped: resolve };
      return promise;
    },
    disarm() {
      armed = null;
    },
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

const QUERY = 0x03;

/** A statement in MySQL's protocol: three bytes of length, a sequence of 0, and the command. Logging in is none. */
function isStatement(data: Buffer): boolean {
  return data[3] === 0 && data[4] === QUERY;
}
