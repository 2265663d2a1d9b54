import { connect, createServer, type Server, type Socket } from 'node:net';
import { listenOnLoopback } from './ports.ts';

/** Which statement is met, and how. */
export interface DropOptions {
  afterStatements?: number;
  answer?: boolean;
  /** The connection is not lost but says nothing any more, from this statement on. */
  stall?: boolean;
  /** Only statements with that are counted. */
  matching?: RegExp;
}

/** A way to a server on which single connections are lost. */
export interface DroppingProxy {
  readonly port: number;
  /**
   * The next connection on which a statement is sent is lost before it arrives, or the one after so many statements; with
   * `answer` the statement arrives, and its answer is lost. Resolves when that has happened; a call to `disarm` before
   * leaves all of them alone.
   */
  dropNext(options?: DropOptions): Promise<void>;
  /** Loses all connections and takes no more, until `restore`. */
  cut(): void;
  restore(): void;
  disarm(): void;
  close(): void;
}

/** One before a MySQL server. */
export interface MysqlProxy extends DroppingProxy {
  /** Leads through it. */
  readonly mysqlUrl: string;
}

/** Starts one on a free loopback port; connections on which `spare` is sent next are left alone: what a process does for itself all the time. */
export async function startMysqlProxy(mysqlUrl: string, spare?: RegExp): Promise<MysqlProxy> {
  const url = new URL(mysqlUrl);
  const target = { host: url.hostname, port: Number(url.port) };
  const sockets = new Set<Socket>();
  let armed: { left: number; answer: boolean; stall: boolean; matching: RegExp | null; dropped(): void } | null = null;
  let isCut = false;

  const server: Server = createServer((client) => {
    if (isCut) {
      client.resetAndDestroy();
      return;
    }
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
      if (armed && isMet(data, armed.matching) && armed.left-- === 0) {
        const { dropped, answer, stall } = armed;
        armed = null;
        if (stall) {
          client.removeAllListeners('data');
          client.resume();
          upstream.unpipe(client);
          dropped();
          return;
        }
        const drop = () => {
          client.resetAndDestroy();
          dropped();
        };
        if (!answer) return drop();
        upstream.unpipe(client);
        upstream.once('data', drop);
        upstream.resume();
      }
      if (!upstream.write(data)) client.pause();
    });
    upstream.on('drain', () => client.resume());
    upstream.pipe(client);
  });
  function isMet(data: Buffer, matching: RegExp | null): boolean {
    if (!isStatement(data)) return false;
    const text = data.toString('latin1');
    return !spare?.test(text) && (matching?.test(text) ?? true);
  }
  const port = await listenOnLoopback(server);
  Object.assign(url, { hostname: '127.0.0.1', port: String(port) });
  return {
    port,
    mysqlUrl: url.href,
    dropNext({ afterStatements = 0, answer = false, stall = false, matching } = {}) {
      const { promise, resolve } = Promise.withResolvers<void>();
      armed = { left: afterStatements, answer, stall, matching: matching ?? null, dropped: resolve };
      return promise;
    },
    cut() {
      isCut = true;
      for (const socket of sockets) socket.destroy();
    },
    restore() {
      isCut = false;
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
