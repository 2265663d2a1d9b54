import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import {
  type ApplicationSettings,
  bundleWorkflows,
  migrate,
  startApi,
  startHost,
} from '../../environment/application.ts';
import { startLegacy } from '../../environment/cut-over.ts';
import { type DroppingProxy, startMysqlProxy } from '../../environment/dropping-proxy.ts';
import { NO_POOL_SHARES } from '../../environment/no-pool-shares.ts';
import { freePort } from '../../environment/ports.ts';
import type { RunningProcess } from '../../environment/processes.ts';
import type { Servers } from '../../environment/servers/index.ts';
import { startOnServers } from '../servers.ts';
import { Customer } from './client.ts';

const REGION = 'bench';
const HOSTS = 2;
/** Addresses that a customer has on droplets all the time, so that a list is one of several. */
const HELD = 4;
const NO_LIMIT = 10_000_000;

export const SIDES = ['legacy', 'new'] as const;
/** One of the two stacks. */
export type Side = (typeof SIDES)[number];

/** A stack under measurement, and a customer of its own. */
export interface MeasuredStack {
  customer: Customer;
  region: string;
  /** Two new droplets. */
  droplets(): Promise<[number, number]>;
  /** Its way to MySQL, when there is one on which connections can be lost. */
  mysql: DroppingProxy | null;
  /** The process that its requests wait for besides MySQL. */
  servicePid: number;
}

/** Both stacks, up and answering. */
export type Stacks = Record<Side, MeasuredStack> & { stop(): Promise<void> };

/** How the two stacks are started. */
export interface StacksOptions {
  /** What the inner calls of the legacy stack are multiplied by. */
  latencyScale: number;
  /** Whether connections to MySQL can be lost; costs both a moment for each statement. */
  fragile: boolean;
}

/** The servers of a run, on which the two stacks are started several times. */
export interface BenchServers {
  mysqlUrl: string;
  kafkaPid: number;
  startStacks(options: StacksOptions): Promise<Stacks>;
  close(): Promise<void>;
}

/** Statements that both stacks send for themselves all the time. */
const BACKGROUND = /signalled_at|CONCAT\('legacy\/'/;

/** Starts MySQL, Kafka and Temporal, and migrates. */
export function startBenchServers(): Promise<BenchServers> {
  return startOnServers('bench', async ({ supervisor, servers, adminToken, close }) => {
    const environment = { ...process.env, ...NO_POOL_SHARES, QUARANTINE_SECONDS: '1', AUDIT_EVERY_SECONDS: '0' };
    const settings = { supervisor, servers, adminToken, environment, logLevel: 'warn' };
    const [workflowBundle] = await Promise.all([bundleWorkflows(settings), migrate(settings)]);
    let hosts: { name: string; token: string }[] | null = null;
    return {
      mysqlUrl: servers.mysqlUrl,
      kafkaPid: pidOf(servers, 'kafka'),
      async startStacks(options) {
        const started = await startBoth(settings, servers, { ...options, workflowBundle });
        hosts ??= await registerHosts(started.admin);
        const agents = await Promise.all(hosts.map((host) => startHost(settings, { ...host, apiUrl: started.apiUrl })));
        const [legacy, fresh] = [
          await makeCustomer(started.admin, started.apiUrl, started.legacyUrl),
          await makeCustomer(started.admin, started.apiUrl, started.apiUrl),
        ];
        return {
          legacy: { ...legacy, mysql: started.proxies.legacy, servicePid: started.legacyServices.pid },
          new: { ...fresh, mysql: started.proxies.new, servicePid: pidOf(servers, 'temporal') },
          async stop() {
            for (const { customer } of [legacy, fresh]) customer.close();
            await Promise.all([...agents, ...started.processes].map((one) => one.stop()));
            for (const proxy of Object.values(started.proxies)) proxy?.close();
          },
        };
      },
      close,
    };
  });
}

async function startBoth(
  settings: ApplicationSettings,
  servers: Servers,
  { latencyScale, fragile, workflowBundle }: StacksOptions & { workflowBundle: string },
) {
  const proxyFor = () => (fragile ? startMysqlProxy(servers.mysqlUrl, BACKGROUND) : null);
  const proxies = { legacy: await proxyFor(), new: await proxyFor() };
  const through = (proxy: { mysqlUrl: string } | null): ApplicationSettings =>
    proxy ? { ...settings, servers: { ...servers, mysqlUrl: proxy.mysqlUrl } } : settings;
  const api = { name: 'api', port: await freePort(), workflowBundle, embeddedWorker: true };
  const [{ url: apiUrl, process: apiProcess }, legacy] = await Promise.all([
    startApi(through(proxies.new), api),
    startLegacy(through(proxies.legacy), { port: await freePort(), servicesPort: await freePort(), latencyScale }),
  ]);
  const processes: RunningProcess[] = [apiProcess, legacy.monolith, legacy.services];
  const admin = new Customer(apiUrl, settings.adminToken);
  return { apiUrl, legacyUrl: legacy.url, legacyServices: legacy.services, proxies, processes, admin };
}

function pidOf({ processes }: Servers, name: string): number {
  const found = processes.find((one) => one.name === name);
  if (!found) throw new Error(`${name} was not started here, and cannot be stopped for a moment`);
  return found.pid;
}

async function registerHosts(admin: Customer): Promise<{ name: string; token: string }[]> {
  await expecting(admin, 'PUT', `/internal/v1/regions/${REGION}`, z.object({}), { name: 'Bench' });
  await expecting(admin, 'POST', '/internal/v1/pools', z.object({}), { region: REGION, cidr: '198.18.0.0/20' });
  const hosts = [];
  for (let number = 1; number <= HOSTS; number++) {
    const path = `/internal/v1/hosts/bench-${number}`;
    await expecting(admin, 'PUT', path, z.object({}), { region: REGION, anchor_cidr: '10.17.0.0/16' });
    const { token } = await expecting(admin, 'POST', `${path}/tokens`, z.object({ token: z.string() }));
    hosts.push({ name: `bench-${number}`, token });
  }
  return hosts;
}

/** A customer who holds some addresses already. Droplets are made on the new stack, which alone has them. */
async function makeCustomer(admin: Customer, apiUrl: string, url: string) {
  const name = `bench-${randomBytes(3).toString('hex')}`;
  const { account } = await expecting(
    admin,
    'POST',
    '/internal/v1/accounts',
    z.object({ account: z.object({ id: z.int() }) }),
    { name, email: `${name}@example.com`, reserved_ip_limit: 10_000, droplet_limit: 100_000 },
  );
  const tokens = `/internal/v1/accounts/${account.id}/tokens`;
  const limits = { name: 'bench', requests_per_minute: NO_LIMIT, requests_per_hour: NO_LIMIT };
  const { token } = await expecting(admin, 'POST', tokens, z.object({ token: z.string() }), limits);
  const onNew = new Customer(apiUrl, token);
  const droplet = async () => {
    const form = { name, region: REGION, size: 's-1vcpu-1gb', image: 'debian-12-x64' };
    const made = z.object({ droplet: z.object({ id: z.int() }) });
    return (await expecting(onNew, 'POST', '/v2/droplets', made, form)).droplet.id;
  };
  for (let held = 0; held < HELD; held++) {
    await expecting(onNew, 'POST', '/v2/reserved_ips', z.object({}), { droplet_id: await droplet() });
  }
  return {
    customer: new Customer(url, token),
    region: REGION,
    droplets: async (): Promise<[number, number]> => [await droplet(), await droplet()],
  };
}

async function expecting<Schema extends z.ZodType>(
  customer: Customer,
  method: string,
  path: string,
  schema: Schema,
  body?: unknown,
): Promise<z.infer<Schema>> {
  const answer = await customer.send(method, path, body);
  const parsed = schema.safeParse(answer.body);
  if (answer.status >= 200 && answer.status < 300 && parsed.success) return parsed.data;
  throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
}
