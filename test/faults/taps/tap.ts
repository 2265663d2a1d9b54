import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** Whether bytes come from the process or from its server. */
export type Direction = 'request' | 'answer';

/** How a protocol cuts its bytes: the length of the first unit in them, or null while that cannot be told. */
export type UnitLength = (buffered: Buffer, isFirst: boolean) => number | null;

/** Looks at each unit before it is passed on. `hold` keeps it and all that follows it in its direction. */
export type Watcher = (connection: number, direction: Direction, unit: Buffer) => 'pass' | 'hold';

/** Options of {@link Tap.open}. */
export interface TapOptions {
  /** Ports on loopback: its own, and where it leads to. */
  port: number;
  upstreamPort: number;
  /** Of each direction. */
  unitLength: Record<Direction, UnitLength>;
}

/** One direction of a connection. */
interface Flow {
  direction: Direction;
  from: Socket;
  to: Socket;
  buffered: Buffer;
  isFirst: boolean;
  held: Buffer[];
}

/**
 * The connection of one process to one server, passed on unit by unit: MySQL's packets, or HTTP/2's frames. So a watcher
 * can stop the process in an exact moment of its work, without a hook in it.
 */
export class Tap {
  readonly #options: TapOptions;
  readonly #flows = new Set<Flow>();
  #server: Server | null = null;
  #watcher: Watcher | null = null;
  #lastConnection = 0;

  private constructor(options: TapOptions) {
    this.#options = options;
  }

  static async open(options: TapOptions): Promise<Tap> {
    const tap = new Tap(options);
    await tap.enable(true);
    return tap;
  }

  /** Port on loopback that it takes connections on. */
  get port(): number {
    return this.#options.port;
  }

  /** From now on a watcher looks at what passes; null passes on what the one before has held. */
  watch(watcher: Watcher | null): void {
    this.#watcher = watcher;
    for (const flow of this.#flows) {
      for (const unit of flow.held.splice(0)) flow.to.write(unit);
    }
  }

  /** Breaks all connections; what was held is lost. */
  reset(): void {
    for (const { from } of this.#flows) from.destroy();
    this.#flows.clear();
  }

  /** Breaks all connections and rejects new ones, or takes them again. */
  async enable(enabled: boolean): Promise<void> {
    if (!enabled) {
      this.#server?.close();
      this.#server = null;
      this.reset();
      return;
    }
    if (this.#server) return;
    const server = createServer((client) => this.#accept(client));
    this.#server = server;
    server.listen(this.#options.port, '127.0.0.1');
    await once(server, 'listening');
  }

  #accept(client: Socket): void {
    const connection = ++this.#lastConnection;
    const upstream = connect(this.#options.upstreamPort, '127.0.0.1');
    const flows = [flowOf('request', client, upstream), flowOf('answer', upstream, client)];
    for (const flow of flows) {
      this.#flows.add(flow);
      flow.from.setNoDelay(true);
      flow.from.on('data', (data) => this.#take(connection, flow, data));
      flow.from.on('end', () => flow.to.end());
      flow.from.on('drain', () => flow.to.resume());
      flow.from.on('error', () => breakOff(flow.to));
      flow.from.once('close', () => {
        this.#flows.delete(flow);
        flow.to.destroy();
      });
    }
  }

  #take(connection: number, flow: Flow, data: Buffer): void {
    flow.buffered = flow.buffered.length === 0 ? data : Buffer.concat([flow.buffered, data]);
    for (;;) {
      const length = this.#options.unitLength[flow.direction](flow.buffered, flow.isFirst);
      if (length === null || flow.buffered.length < length) return;
      const unit = flow.buffered.subarray(0, length);
      flow.buffered = flow.buffered.subarray(length);
      flow.isFirst = false;
      const isHeld = flow.held.length > 0 || this.#watcher?.(connection, flow.direction, unit) === 'hold';
      if (isHeld) flow.held.push(unit);
      else if (!flow.to.write(unit)) flow.from.pause();
    }
  }
}

function flowOf(direction: Direction, from: Socket, to: Socket): Flow {
  return { direction, from, to, buffered: Buffer.alloc(0), isFirst: true, held: [] };
}

/** As the other side has broken: by a reset. One whose end is on its way cannot be reset any more, and Node would never exit. */
function breakOff(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}
