import { z } from 'zod';
import { type ApiClient, dataOf, openApiClient } from '../../platform/api-client/client.ts';
import type { components } from '../../platform/api-client/generated/customer-api.ts';
import { type Answer, expectAnswer, type Http } from './http.ts';
import type { ManualHost, SeenHostCommand } from './manual-host.ts';
import { until } from './until.ts';

type Schemas = components['schemas'];
/** openapi-fetch leaves fields out that are always null. */
export type Droplet = Omit<Schemas['Droplet'], 'next_backup_window'>;
export type ReservedIp = Omit<Schemas['ReservedIp'], 'droplet'> & { droplet: Droplet | null };
export type ReservedIpv6 = Omit<Schemas['ReservedIpv6'], 'droplet'> & { droplet: Droplet | null };

const actionSchema = z.object({
  id: z.int(),
  status: z.enum(['in-progress', 'completed', 'errored']),
  type: z.string(),
  started_at: z.string(),
  completed_at: z.string().nullable(),
  resource_id: z.int().nullable(),
  resource_type: z.string(),
  region_slug: z.string(),
});
export type Action = z.infer<typeof actionSchema>;

const withIp = z.object({ ip: z.string() });

/** How often the API is asked for a droplet while it says that it is not available yet. */
const ATTEMPTS = 5;

/** A customer who speaks the public API and nothing else. */
export class Account {
  readonly id: number;
  /** For requests whose answer is looked at, whatever it is. */
  readonly http: Http;
  readonly api: ApiClient;

  constructor(id: number, http: Http) {
    this.id = id;
    this.http = http;
    this.api = openApiClient({ baseUrl: http.baseUrl, token: http.token });
  }

  get token(): string {
    return this.http.token ?? '';
  }

  /** The same customer at another API process. */
  at(baseUrl: string): Account {
    return new Account(this.id, this.http.at(baseUrl));
  }

  requestDroplet(region: string, name?: string): Promise<Answer> {
    return this.http.post('/v2/droplets', dropletForm(region, name));
  }

  /** Makes a droplet, on the host of the region that has the fewest; answers its number. */
  async makeDroplet(region: string, name?: string): Promise<number> {
    return (await this.createDroplet(region, name)).id;
  }

  /** The same; answers the droplet. */
  async createDroplet(region: string, name?: string): Promise<Droplet> {
    const { baseUrl, token } = this.http;
    const api = openApiClient({ baseUrl, token, attempts: ATTEMPTS });
    return (await dataOf(api.POST('/v2/droplets', { body: dropletForm(region, name) }))).droplet;
  }

  /** Makes droplets one after the other, so that consecutive ones in a region with two hosts are on different hosts. */
  async makeDroplets(region: string, count: number): Promise<number[]> {
    const ids: number[] = [];
    while (ids.length < count) ids.push(await this.makeDroplet(region, `droplet-${ids.length}`));
    return ids;
  }

  /** Reserves an address in a region. */
  async reserve(region: string): Promise<string> {
    return (await dataOf(this.api.POST('/v2/reserved_ips', { body: { region } }))).reserved_ip.ip;
  }

  /** Reserves an IPv6 address in a region. */
  async reserveIpv6(region: string): Promise<string> {
    return (await dataOf(this.api.POST('/v2/reserved_ipv6', { body: { region_slug: region } }))).reserved_ipv6.ip;
  }

  /** Reserves an address for a droplet; answers it with the number of its assign action. */
  async reserveFor(dropletId: number): Promise<{ ip: string; actionId: number }> {
    return readReserved(await this.http.post('/v2/reserved_ips', { droplet_id: dropletId }));
  }

  requestAssign(ip: string, dropletId: number, headers: Record<string, string> = {}): Promise<Answer> {
    return this.http.post(`${pathOf(ip)}/actions`, { type: 'assign', droplet_id: dropletId }, { headers });
  }

  requestUnassign(ip: string): Promise<Answer> {
    return this.http.post(`${pathOf(ip)}/actions`, { type: 'unassign' });
  }

  requestRelease(ip: string): Promise<Answer> {
    return this.http.delete(pathOf(ip));
  }

  /** Starts an assign that must be accepted. */
  async startAssign(ip: string, dropletId: number): Promise<Action> {
    return readAction(await this.requestAssign(ip, dropletId));
  }

  /** Starts an unassign that must be accepted. */
  async startUnassign(ip: string): Promise<Action> {
    return readAction(await this.requestUnassign(ip));
  }

  /** Assigns, and waits until it is completed. */
  async assign(ip: string, dropletId: number): Promise<Action> {
    return this.completed(await this.startAssign(ip, dropletId));
  }

  /** Assigns to a droplet of a host that the test answers for; answers the event that the host has confirmed. */
  async assignBy(host: ManualHost | undefined, ip: string, dropletId: number): Promise<SeenHostCommand> {
    if (!host) throw new Error('the world has no such host');
    const action = await this.startAssign(ip, dropletId);
    const event = await host.confirm(ip, 'attach');
    await this.completed(action);
    return event;
  }

  /** Unassigns, and waits until it is completed. */
  async unassign(ip: string): Promise<Action> {
    return this.completed(await this.startUnassign(ip));
  }

  /** Releases; the answer must be 204. */
  async release(ip: string): Promise<void> {
    const answer = await this.requestRelease(ip);
    if (answer.status !== 204) throw new Error(`release of ${ip}: ${answer.status} ${answer.text}`);
  }

  async show(ip: string): Promise<ReservedIp> {
    return (await dataOf(this.api.GET('/v2/reserved_ips/{ip}', { params: { path: { ip } } }))).reserved_ip;
  }

  async showIpv6(ip: string): Promise<ReservedIpv6> {
    return (await dataOf(this.api.GET('/v2/reserved_ipv6/{ip}', { params: { path: { ip } } }))).reserved_ipv6;
  }

  async action(id: number): Promise<Action> {
    return (await dataOf(this.api.GET('/v2/actions/{action_id}', { params: { path: { action_id: id } } }))).action;
  }

  /** Waits until an action has ended, either way. */
  async ended(action: { id: number }, withinMs?: number): Promise<Action> {
    return until(
      `action ${action.id} ended`,
      async () => {
        const now = await this.action(action.id);
        return now.status === 'in-progress' ? null : now;
      },
      withinMs,
    );
  }

  /** Waits until an action has ended, and fails unless it is completed. */
  async completed(action: { id: number }): Promise<Action> {
    const ended = await this.ended(action);
    if (ended.status !== 'completed') throw new Error(`action ${action.id} (${ended.type}) is ${ended.status}`);
    return ended;
  }
}

function dropletForm(region: string, name = 'droplet'): Schemas['DropletCreate'] {
  return { name, region, size: 's-1vcpu-1gb', image: 'debian-12-x64' };
}

/** The path of an address of either IP version. */
function pathOf(ip: string): string {
  return ip.includes(':') ? `/v2/reserved_ipv6/${ip}` : `/v2/reserved_ips/${ip}`;
}

/** The action in a 201 answer. */
export function readAction(answer: Answer): Action {
  return expectAnswer(answer, 201, z.object({ action: actionSchema })).action;
}

/** The address in a 202 answer. */
export function readAddress(answer: Answer): string {
  return expectAnswer(answer, 202, z.object({ reserved_ip: withIp })).reserved_ip.ip;
}

/** The IPv6 address in a 201 answer. */
export function readIpv6Address(answer: Answer): string {
  return expectAnswer(answer, 201, z.object({ reserved_ipv6: withIp })).reserved_ipv6.ip;
}

/** The address and the assign action in a 202 answer. */
export function readReserved(answer: Answer): { ip: string; actionId: number } {
  const schema = z.object({ links: z.object({ actions: z.tuple([z.object({ id: z.int() })]) }) });
  const [action] = expectAnswer(answer, 202, schema).links.actions;
  return { ip: readAddress(answer), actionId: action.id };
}
