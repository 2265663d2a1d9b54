import { z } from 'zod';
import type { EnvironmentValues } from '../../platform/env-file.ts';
import { expectStatus, send } from './http.ts';

const REGIONS = [
  { slug: 'nyc3', name: 'New York 3' },
  { slug: 'ams3', name: 'Amsterdam 3' },
];

/** Ranges that are set aside for documentation, so that nobody's real addresses appear. */
const POOLS = [
  { region: 'nyc3', cidr: '203.0.113.0/24' },
  { region: 'nyc3', cidr: '192.0.2.0/24' },
  { region: 'ams3', cidr: '198.51.100.0/24' },
  { region: 'nyc3', cidr: '2001:db8:17::/112' },
  { region: 'ams3', cidr: '2001:db8:18::/112' },
];

const HOSTS = [
  { name: 'hv-1', region: 'nyc3', anchor_cidr: '10.17.0.0/24' },
  { name: 'hv-2', region: 'nyc3', anchor_cidr: '10.17.1.0/24' },
  { name: 'hv-3', region: 'ams3', anchor_cidr: '10.18.0.0/24' },
  { name: 'hv-4', region: 'ams3', anchor_cidr: '10.18.1.0/24' },
];

const ACCOUNTS = [
  {
    name: 'Example',
    email: 'example@example.com',
    tokenVariable: 'API_TOKEN',
    droplets: ['nyc3', 'nyc3', 'nyc3', 'nyc3', 'ams3', 'ams3', 'ams3', 'ams3'],
  },
  { name: 'Other', email: 'other@example.net', tokenVariable: 'OTHER_API_TOKEN', droplets: ['nyc3', 'ams3'] },
];

/** High enough for a load test to meet no limit. */
const UNLIMITED = 1_000_000_000;
const ACCOUNT_LIMIT = 1_000_000;

const accountAnswer = z.object({ account: z.object({ id: z.number() }) });
const tokenAnswer = z.object({ token: z.string() });
const dropletsAnswer = z.object({ droplets: z.array(z.object({ id: z.number(), name: z.string() })) });
const poolsAnswer = z.object({ pools: z.array(z.object({ cidr: z.string() })) });
const accountsAnswer = z.object({ accounts: z.array(z.object({ id: z.number(), email: z.string() })) });

/** How to reach the API, and what an earlier start left. */
export interface DemoDataOptions {
  readonly apiUrl: string;
  /** Where operators are served, and where hosts are; default `apiUrl`. */
  readonly internalUrl?: string;
  readonly hostApiUrl?: string;
  readonly adminToken: string;
  /** The variables of `.dev/env`; tokens in it that still work are kept. */
  readonly earlier: EnvironmentValues;
  readonly report?: (line: string) => void;
}

/** What a caller needs to use the data. */
export interface DemoData {
  readonly apiToken: string;
  readonly otherApiToken: string;
  readonly hosts: readonly { readonly name: string; readonly token: string; readonly tokenVariable: string }[];
}

interface Admin {
  readonly apiUrl: string;
  readonly internalUrl: string;
  readonly hostApiUrl: string;
  readonly adminToken: string;
}

/**
 * Makes two regions, their pools, four hosts, and two accounts with droplets and tokens, by the API alone. What exists
 * already is left as it is, so that it can run at every start.
 *
 * @throws {UnexpectedStatusError} when the API refuses something for another reason than that it exists.
 */
export async function makeDemoData(options: DemoDataOptions): Promise<DemoData> {
  const { apiUrl, internalUrl = apiUrl, hostApiUrl = apiUrl, adminToken } = options;
  const admin: Admin = { apiUrl, internalUrl, hostApiUrl, adminToken };
  for (const { slug, name } of REGIONS) await put(admin, `/regions/${slug}`, { name });
  const existing = poolsAnswer.parse((await get(admin, '/pools')).body);
  const cidrs = new Set(existing.pools.map((pool) => pool.cidr));
  for (const pool of POOLS) if (!cidrs.has(pool.cidr)) await post(admin, '/pools', pool);
  const hosts = [];
  for (const host of HOSTS) hosts.push(await makeHost(admin, host, options.earlier));
  const tokens = [];
  for (const account of ACCOUNTS) tokens.push(await makeAccount(admin, account, options.earlier));
  const [apiToken = '', otherApiToken = ''] = tokens;
  options.report?.(
    `Demo data: regions ${REGIONS.map(({ slug }) => slug).join(', ')}; ${POOLS.length} pools; hosts ${HOSTS.map(({ name }) => name).join(', ')}; accounts ${ACCOUNTS.map(({ name, droplets }) => `${name} (${droplets.length} droplets)`).join(', ')}`,
  );
  return { apiToken, otherApiToken, hosts };
}

async function makeHost(admin: Admin, host: (typeof HOSTS)[number], earlier: EnvironmentValues) {
  const { name, ...body } = host;
  const tokenVariable = `HOST_TOKEN_${name.toUpperCase().replaceAll('-', '_')}`;
  await put(admin, `/hosts/${name}`, body);
  const kept = await stillWorks(`${admin.hostApiUrl}/host/v1/desired-state`, earlier[tokenVariable]);
  const token = kept ?? tokenAnswer.parse((await post(admin, `/hosts/${name}/tokens`)).body).token;
  return { name, token, tokenVariable };
}

async function makeAccount(
  admin: Admin,
  account: (typeof ACCOUNTS)[number],
  earlier: EnvironmentValues,
): Promise<string> {
  const kept = await stillWorks(`${admin.apiUrl}/v2/account`, earlier[account.tokenVariable]);
  const token = kept ?? (await makeToken(admin, await accountId(admin, account)));
  const listing = await expectStatus({ method: 'GET', url: `${admin.apiUrl}/v2/droplets?per_page=200`, token }, 200);
  const names = new Set(dropletsAnswer.parse(listing.body).droplets.map((droplet) => droplet.name));
  for (const [index, region] of account.droplets.entries()) {
    const name = `${account.name.toLowerCase()}-${index + 1}`;
    if (names.has(name)) continue;
    const body = { name, region, size: 's-1vcpu-1gb', image: 'debian-12-x64' };
    await expectStatus({ method: 'POST', url: `${admin.apiUrl}/v2/droplets`, token, body }, 202);
  }
  return token;
}

async function accountId(admin: Admin, account: (typeof ACCOUNTS)[number]): Promise<number> {
  const { accounts } = accountsAnswer.parse((await get(admin, '/accounts')).body);
  const found = accounts.find(({ email }) => email === account.email);
  if (found !== undefined) return found.id;
  const { name, email } = account;
  const body = { name, email, reserved_ip_limit: ACCOUNT_LIMIT, droplet_limit: ACCOUNT_LIMIT };
  return accountAnswer.parse((await post(admin, '/accounts', body)).body).account.id;
}

async function makeToken(admin: Admin, id: number): Promise<string> {
  const body = { name: 'demo', requests_per_minute: UNLIMITED, requests_per_hour: UNLIMITED };
  return tokenAnswer.parse((await post(admin, `/accounts/${id}/tokens`, body)).body).token;
}

/** The token when the API still takes it; undefined when it does not, or there is none. */
async function stillWorks(url: string, token: string | undefined): Promise<string | undefined> {
  if (token === undefined) return undefined;
  return (await send({ method: 'GET', url, token })).status === 200 ? token : undefined;
}

function get(admin: Admin, path: string) {
  return expectStatus({ method: 'GET', url: adminUrl(admin, path), token: admin.adminToken }, 200);
}

function post(admin: Admin, path: string, body?: unknown) {
  return expectStatus({ method: 'POST', url: adminUrl(admin, path), token: admin.adminToken, body }, 201);
}

function put(admin: Admin, path: string, body: unknown) {
  return expectStatus({ method: 'PUT', url: adminUrl(admin, path), token: admin.adminToken, body }, 200);
}

function adminUrl(admin: Admin, path: string): string {
  return `${admin.internalUrl}/internal/v1${path}`;
}
