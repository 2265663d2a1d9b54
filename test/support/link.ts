import { inject, onTestFinished } from 'vitest';
import { type MysqlProxy, startMysqlProxy } from '../../dev/environment/dropping-proxy.ts';
import { Relay } from '../../dev/kit/relay.ts';

/** What a {@link Link} does with whoever connects. */
export type LinkState = 'open' | 'refusing' | 'silent';

/** A TCP connection on the way to a server, which a test can cut, silence and repair. */
export interface Link {
  /** `host:port` of this end. */
  address: string;
  port: number;
  /** Breaks what is connected. From now on connections are let through, broken at once, or accepted and left alone. */
  become(state: LinkState): void;
  close(): Promise<void>;
}

/** A link to `host:port`, on a port of its own; closed when the running test is over. */
export async function useLink(target: string): Promise<Link> {
  let state: LinkState = 'open';
  const relay = await Relay.start({
    target,
    accept(client) {
      if (state === 'refusing') client.destroy();
      return state === 'open';
    },
  });
  onTestFinished(() => relay.close());
  return {
    address: relay.address,
    port: relay.port,
    become(next) {
      state = next;
      relay.breakAll();
    },
    close: () => relay.close(),
  };
}

/** A way to the database of the run on which the bytes of the running test's statements and answers are changed. */
export async function useChangedDatabase(
  change: (chunk: Buffer, from: 'client' | 'server') => Buffer,
  mysqlUrl = inject('environment').mysqlUrl,
): Promise<string> {
  const url = new URL(mysqlUrl);
  const relay = await Relay.start({ target: url.host, change });
  onTestFinished(() => relay.close());
  return Object.assign(url, { hostname: '127.0.0.1', port: String(relay.port) }).href;
}

/** A way to the database of the run, or on from another one, for the running test, on which the statements that match are counted. */
export async function useWatchedDatabase(
  matching: RegExp,
  target?: string,
): Promise<{ mysqlUrl: string; looks(): number }> {
  let count = 0;
  const mysqlUrl = await useChangedDatabase((chunk, from) => {
    if (from === 'client' && matching.test(chunk.toString('latin1'))) count++;
    return chunk;
  }, target);
  return { mysqlUrl, looks: () => count };
}

/** A way to the database of the run, for the running test, on which connections can be lost; not those of `spare`. */
export async function useMysqlProxy(spare: RegExp): Promise<MysqlProxy> {
  const proxy = await startMysqlProxy(inject('environment').mysqlUrl, spare);
  onTestFinished(() => proxy.close());
  return proxy;
}
