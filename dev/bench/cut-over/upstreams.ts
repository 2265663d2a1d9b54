import { randomBytes } from 'node:crypto';
import { printError } from '../../../platform/text/print.ts';
import { type DroppingProxy, startMysqlProxy } from '../../environment/dropping-proxy.ts';
import { NO_POOL_SHARES } from '../../environment/no-pool-shares.ts';
import { type Closable, type Environment, startEnvironment } from '../../kit/environment.ts';
import type { RegisteredHost } from '../../kit/operator.ts';
import { startLegacy } from '../../kit/upstreams.ts';
import { POOL, REGION } from '../environment.ts';
import { BenchClient } from '../http.ts';

const HOSTS = 2;
/** Addresses that a customer has on droplets all the time, so that a list is one of several. */
const HELD = 4;
const LIMITS = { dropletLimit: 100_000 };

export const SIDES = ['legacy', 'new'] as const;
/** One of the two upstreams. */
export type Side = (typeof SIDES)[number];

/** An upstream under measurement, and a customer of its own. */
export interface MeasuredUpstream {
  customer: BenchClient;
  region: string;
  /** Two new droplets. */
  droplets(): Promise<[number, number]>;
  /** Its way to MySQL, when there is one on which connections can be lost. */
  mysql: DroppingProxy | null;
  /** The process that its requests wait for besides MySQL. */
  servicePid: number;
}

/** Both upstreams, up and answering. */
export type Upstreams = Record<Side, MeasuredUpstream> & { stop(): Promise<void> };

/** How the two upstreams are started. */
export interface UpstreamsOptions {
  /** What the inner calls of the legacy upstream are multiplied by. */
  latencyScale: number;
  /** Whether connections to MySQL can be lost; costs both a moment for each statement. */
  fragile: boolean;
}

/** The servers of a run, on which the two upstreams are started several times. */
export interface BenchServers extends Closable {
  environment: Environment;
  startUpstreams(options: UpstreamsOptions): Promise<Upstreams>;
}

/** Statements that both upstreams send for themselves all the time. */
const BACKGROUND = /signalled_at|CONCAT\('legacy\/'/;

/** Starts MySQL, Kafka and Temporal, and migrates. */
export function startBenchServers(): Promise<BenchServers> {
  const settings = { ...NO_POOL_SHARES, QUARANTINE_SECONDS: '1', AUDIT_EVERY_SECONDS: '0' };
  const options = { folder: 'bench', settings, logLevel: 'warn', report: printError };
  return startEnvironment(options, async (environment) => {
    await environment.prepare();
    let hosts: RegisteredHost[] = [];
    return {
      environment,
      async startUpstreams(how) {
        const { proxies, processes, ...started } = await startBoth(environment, how);
        if (hosts.length === 0) {
          await environment.operator.makeRegion(REGION, POOL);
          hosts = await environment.operator.registerHosts(REGION, HOSTS);
        }
        processes.push(...(await environment.startHosts(hosts)));
        const legacy = await makeCustomer(environment, started.legacyUrl);
        const fresh = await makeCustomer(environment, environment.apiUrl);
        return {
          legacy: { ...legacy, mysql: proxies.legacy, servicePid: started.legacyServicesPid },
          new: { ...fresh, mysql: proxies.new, servicePid: environment.pidOf('temporal') },
          async stop() {
            for (const { customer } of [legacy, fresh]) customer.close();
            await Promise.all(processes.map((one) => one.stop()));
            for (const proxy of Object.values(proxies)) proxy?.close();
          },
        };
      },
    };
  });
}

async function startBoth(environment: Environment, { latencyScale, fragile }: UpstreamsOptions) {
  const proxyFor = () => (fragile ? startMysqlProxy(environment.servers.mysqlUrl, BACKGROUND) : null);
  const proxies = { legacy: await proxyFor(), new: await proxyFor() };
  const through = (proxy: { mysqlUrl: string } | null) =>
    environment.through(proxy ? { mysqlUrl: proxy.mysqlUrl } : {});
  const [api, legacy] = await Promise.all([
    environment.startApi({ settings: through(proxies.new) }),
    startLegacy(environment, latencyScale, through(proxies.legacy)),
  ]);
  const processes = [api, legacy.monolith, legacy.services];
  return { proxies, processes, legacyUrl: legacy.url, legacyServicesPid: legacy.services.pid };
}

/** A customer who holds some addresses already. Droplets are made on the new upstream, which alone has them. */
async function makeCustomer({ operator }: Environment, url: string) {
  const account = await operator.makeAccount(`bench-${randomBytes(3).toString('hex')}`, LIMITS);
  const droplet = () => account.makeDroplet(REGION);
  for (let held = 0; held < HELD; held++) await account.reserveFor(await droplet());
  return {
    customer: new BenchClient(url, account.token),
    region: REGION,
    droplets: async (): Promise<[number, number]> => [await droplet(), await droplet()],
  };
}
