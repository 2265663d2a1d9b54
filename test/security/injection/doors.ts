import type { Account } from '../../../dev/kit/account.ts';
import type { Answer, Http } from '../../../dev/kit/http.ts';
import type { ManualHost } from '../../../dev/kit/manual-host.ts';
import type { World } from '../../support/world.ts';
import { HOSTILE_ESCAPES, HOSTILE_STRINGS, HOSTILE_VALUES } from './strings.ts';

/** Who knocks: a customer, a host and an operator. */
export interface Callers {
  world: World;
  account: Account;
  host: ManualHost;
  /** An address of the customer. */
  ip: string;
  dropletId: number;
}

interface Knock {
  method: string;
  path: string;
  body?: unknown;
  headers?: Record<string, string>;
}

const CUSTOMER_PATHS = [
  '/v2/reserved_ips/*',
  '/v2/floating_ips/*',
  '/v2/reserved_ipv6/*',
  '/v2/actions/*',
  '/v2/droplets/*',
  '/v2/reserved_ips/*/actions',
  '/v2/reserved_ips/*/actions/*',
  '/v2/reserved_ipv6/*/actions',
  '/v2/droplets/*/actions',
  '/v2/droplets/*/actions/*',
  '/v2/*',
  '/*',
];
const CUSTOMER_QUERIES = [
  '/v2/reserved_ips?page=*&per_page=*',
  '/v2/floating_ips?*=1',
  '/v2/droplets?tag_name=*',
  '/v2/droplets?name=*',
  '/v2/actions?page=1&per_page=*',
];
const HOST_QUERIES = [
  '/host/v1/events?after=*&wait=0',
  '/host/v1/events?limit=*',
  '/host/v1/desired-state?failed=*',
  '/host/v1/*',
];
const OPERATOR_PATHS = [
  '/internal/v1/hosts/*',
  '/internal/v1/hosts/*/tokens',
  '/internal/v1/hosts/*/gone',
  '/internal/v1/hosts/*/returned',
  '/internal/v1/accounts/*',
  '/internal/v1/accounts/*/tokens',
  '/internal/v1/accounts/*/tokens/*',
  '/internal/v1/regions/*',
  '/internal/v1/*',
];
const OPERATOR_QUERIES = ['subject', 'account', 'since', 'until', 'before', 'limit'].map(
  (name) => `/internal/v1/audit-log?${name}=*`,
);

/**
 * Sends every hostile text and value through every door at which it may change nothing but the audit log and the keys of
 * idempotency. Answers the requests that were not answered as something that the API understands: with 5xx.
 */
export async function knockEverywhere(callers: Callers): Promise<string[]> {
  const { account, host, world } = callers;
  const escaped = [...HOSTILE_STRINGS.filter(isWellFormed).map(encodeURIComponent), ...HOSTILE_ESCAPES];
  const failures: string[] = [];
  const knock = async (http: Http, knocks: Knock[]) => {
    for (const { method, path, ...options } of knocks) {
      const answer: Answer = await http.send(method, path, options);
      if (answer.status >= 500)
        failures.push(`${method} ${path} ${JSON.stringify(options)}: ${answer.status} ${answer.text}`);
    }
  };
  const inPath = (paths: string[], methods: string[]) =>
    paths.flatMap((path) =>
      methods.flatMap((method) => escaped.map((text) => ({ method, path: path.replaceAll('*', text) }))),
    );
  await Promise.all([
    knock(account.http, [...inPath(CUSTOMER_PATHS, ['GET', 'DELETE']), ...inPath(CUSTOMER_QUERIES, ['GET'])]),
    knock(account.http, [...customerBodies(callers), ...headersOf('/v2/reserved_ips'), ...headersOf('/v2/droplets')]),
    knock(host.http, [...inPath(HOST_QUERIES, ['GET']), ...hostBodies(), ...headersOf('/host/v1/acknowledgments')]),
    knock(world.admin, [...inPath(OPERATOR_PATHS, ['POST', 'DELETE']), ...inPath(OPERATOR_QUERIES, ['GET'])]),
    knock(world.admin, [...operatorBodies(callers), ...headersOf('/internal/v1/pools')]),
  ]);
  return failures;
}

const anything = [...HOSTILE_STRINGS, ...HOSTILE_VALUES];

function customerBodies({ ip, dropletId, world: { region } }: Callers): Knock[] {
  const droplet = { name: 'droplet', region, size: 's-1vcpu-1gb', image: 'debian-12-x64' };
  const bodies = (value: unknown): [path: string, body: unknown][] => [
    ['/v2/reserved_ips', { region: value }],
    ['/v2/reserved_ips', { droplet_id: value ?? 'x' }],
    ['/v2/floating_ips', { region: value }],
    ['/v2/reserved_ipv6', { region_slug: value }],
    [`/v2/reserved_ips/${ip}/actions`, { type: value }],
    [`/v2/reserved_ips/${ip}/actions`, { type: 'assign', droplet_id: value }],
    [`/v2/droplets/${dropletId}/actions`, { type: value, name: value }],
    [`/v2/droplets/${dropletId}/actions`, { type: 'rename', name: `-${value}` }],
    ['/v2/droplets', { ...droplet, name: `-${value}` }],
    ['/v2/droplets', { ...droplet, region: value }],
    ['/v2/droplets', { ...droplet, size: value }],
    ['/v2/droplets', { ...droplet, image: [value] }],
    ['/v2/droplets', { ...droplet, tags: [[value]] }],
    ['/v2/reserved_ips', value],
  ];
  return anything.flatMap((value) => bodies(value).map(([path, body]) => ({ method: 'POST', path, body })));
}

function hostBodies(): Knock[] {
  const path = '/host/v1/acknowledgments';
  const acknowledgment = { sequence: 999_999, generation: 1, outcome: 'failed' };
  return anything
    .flatMap((value) => [
      { acknowledgments: [{ ...acknowledgment, message: value }] },
      { acknowledgments: [{ ...acknowledgment, outcome: value }] },
      { acknowledgments: [{ ...acknowledgment, sequence: value }] },
      { acknowledgments: [{ ...acknowledgment, generation: `${value}` }] },
      { acknowledgments: [value] },
      { acknowledgments: value },
    ])
    .map((body) => ({ method: 'POST', path, body }));
}

function operatorBodies({ world: { region } }: Callers): Knock[] {
  const bodies = (value: unknown): [method: string, path: string, body: unknown][] => [
    ['POST', '/internal/v1/pools', { region: value, cidr: '198.18.0.0/24' }],
    ['POST', '/internal/v1/pools', { region, cidr: value }],
    ['PUT', '/internal/v1/hosts/other', { region: value, anchor_cidr: '10.9.0.0/16' }],
    ['PUT', '/internal/v1/hosts/other', { region, anchor_cidr: value }],
    ['PUT', `/internal/v1/regions/${region}`, { name: [value] }],
    ['POST', '/internal/v1/accounts', { name: 'x', email: `${value}` }],
    ['POST', '/internal/v1/accounts', { name: [value], email: 'a@example.com' }],
    ['PATCH', '/internal/v1/accounts/1', { reserved_ip_limit: `${value}` }],
    ['POST', '/internal/v1/accounts/1/tokens', { name: 'x', scopes: [` ${value}`] }],
    ['POST', '/internal/v1/accounts/1/tokens', { name: 'x', requests_per_minute: `${value}` }],
  ];
  return anything.flatMap((value) => bodies(value).map(([method, path, body]) => ({ method, path, body })));
}

/** A request that is rejected for its body, with each text in each header that is read, and that the audit log has. */
function headersOf(path: string): Knock[] {
  const names = [
    'idempotency-key',
    'x-request-id',
    'x-forwarded-for',
    'user-agent',
    'x-forwarded-host',
    'accept-language',
  ];
  return HOSTILE_STRINGS.filter(isHeaderValue).flatMap((value) =>
    names.map((name) => ({ method: 'POST', path, body: {}, headers: { [name]: value } })),
  );
}

/** Whether a client can put it into a path. */
function isWellFormed(text: string): boolean {
  return text.isWellFormed() && text !== '.' && text !== '..';
}

/** Whether fetch sends it as the value of a header. */
function isHeaderValue(text: string): boolean {
  return [...text].every((character) => character >= ' ' && character <= '\u00ff' && character !== '\u007f');
}
