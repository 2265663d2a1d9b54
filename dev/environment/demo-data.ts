import { ApiError } from '../../platform/api-client/api-error.ts';
import { type ApiClient, dataOf, openApiClient } from '../../platform/api-client/client.ts';
import type { EnvironmentValues } from '../../platform/env-file.ts';

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

/** How often the API is asked while it says that it is not available yet. */
const ATTEMPTS = 5;

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

/**
 * Makes two regions, their pools, four hosts, and two accounts with droplets and tokens, by the API alone. What exists
 * already is left as it is, so that it can run at every start.
 *
 * @throws {ApiError} when the API rejects something for another reason than that it exists.
 */
export async function makeDemoData(options: DemoDataOptions): Promise<DemoData> {
  const { apiUrl, internalUrl = apiUrl, hostApiUrl = apiUrl, adminToken, earlier } = options;
  const admin = openApiClient({ baseUrl: internalUrl, token: adminToken, attempts: ATTEMPTS });
  for (const { slug, name } of REGIONS) {
    await admin.PUT('/internal/v1/regions/{slug}', { params: { path: { slug } }, body: { name } });
  }
  const existing = await dataOf(admin.GET('/internal/v1/pools'));
  const cidrs = new Set(existing.pools.map((pool) => pool.cidr));
  for (const body of POOLS) if (!cidrs.has(body.cidr)) await admin.POST('/internal/v1/pools', { body });
  const hosts = [];
  for (const host of HOSTS) hosts.push(await makeHost(admin, hostApiUrl, host, earlier));
  const tokens = [];
  for (const account of ACCOUNTS) tokens.push(await makeAccount(admin, apiUrl, account, earlier));
  const [apiToken = '', otherApiToken = ''] = tokens;
  options.report?.(
    `Demo data: regions ${REGIONS.map(({ slug }) => slug).join(', ')}; ${POOLS.length} pools; hosts ${HOSTS.map(({ name }) => name).join(', ')}; accounts ${ACCOUNTS.map(({ name, droplets }) => `${name} (${droplets.length} droplets)`).join(', ')}`,
  );
  return { apiToken, otherApiToken, hosts };
}

async function makeHost(
  admin: ApiClient,
  hostApiUrl: string,
  { name, ...body }: (typeof HOSTS)[number],
  earlier: EnvironmentValues,
) {
  const tokenVariable = `HOST_TOKEN_${name.toUpperCase().replaceAll('-', '_')}`;
  const params = { path: { name } };
  await admin.PUT('/internal/v1/hosts/{name}', { params, body });
  const kept = await stillWorks(hostApiUrl, earlier[tokenVariable], (host) => host.GET('/host/v1/desired-state'));
  const token = kept ?? (await dataOf(admin.POST('/internal/v1/hosts/{name}/tokens', { params }))).token;
  return { name, token, tokenVariable };
}

async function makeAccount(
  admin: ApiClient,
  apiUrl: string,
  account: (typeof ACCOUNTS)[number],
  earlier: EnvironmentValues,
): Promise<string> {
  const kept = await stillWorks(apiUrl, earlier[account.tokenVariable], (customer) => customer.GET('/v2/account'));
  const token = kept ?? (await makeToken(admin, await accountId(admin, account)));
  const customer = openApiClient({ baseUrl: apiUrl, token, attempts: ATTEMPTS });
  const { droplets } = await dataOf(customer.GET('/v2/droplets', { params: { query: { per_page: 200 } } }));
  const names = new Set(droplets.map((droplet) => droplet.name));
  for (const [index, region] of account.droplets.entries()) {
    const name = `${account.name.toLowerCase()}-${index + 1}`;
    if (names.has(name)) continue;
    await customer.POST('/v2/droplets', { body: { name, region, size: 's-1vcpu-1gb', image: 'debian-12-x64' } });
  }
  return token;
}

async function accountId(admin: ApiClient, { name, email }: (typeof ACCOUNTS)[number]): Promise<number> {
  const { accounts } = await dataOf(admin.GET('/internal/v1/accounts'));
  const found = accounts.find((account) => account.email === email);
  if (found !== undefined) return found.id;
  const body = { name, email, reserved_ip_limit: ACCOUNT_LIMIT, droplet_limit: ACCOUNT_LIMIT };
  return (await dataOf(admin.POST('/internal/v1/accounts', { body }))).account.id;
}

async function makeToken(admin: ApiClient, id: number): Promise<string> {
  const body = { name: 'demo', requests_per_minute: UNLIMITED, requests_per_hour: UNLIMITED };
  return (await dataOf(admin.POST('/internal/v1/accounts/{id}/tokens', { params: { path: { id } }, body }))).token;
}

/** The token when the API still takes it; undefined when it does not, or there is none. */
async function stillWorks(
  baseUrl: string,
  token: string | undefined,
  call: (api: ApiClient) => Promise<unknown>,
): Promise<string | undefined> {
  if (token === undefined) return undefined;
  try {
    await call(openApiClient({ baseUrl, token }));
    return token;
  } catch (error) {
    if (error instanceof ApiError && error.status !== null) return undefined;
    throw error;
  }
}
