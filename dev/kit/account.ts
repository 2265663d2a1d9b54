import { z } from 'zod';
import { type Answer, expectAnswer, type Http } from './http.ts';
import type { ManualHost, SeenHostCommand } from './manual-host.ts';
import { until } from './until.ts';

const actionSchema = z.object({
  id: z.int(),
  status: z.enum(['in-progress', 'completed', 'errored']),
  type: z.string(),
  started_at: z.string(),
  completed_at: z.string().nullable(),
  resource_id: z.int(),
  resource_type: z.string(),
  region_slug: z.string(),
});
export type Action = z.infer<typeof actionSchema>;

const reservedIpSchema = z.object({
  ip: z.string(),
  region: z.object({ slug: z.string() }),
  droplet: z.object({ id: z.int() }).nullable(),
  locked: z.boolean(),
});
export type ReservedIp = z.infer<typeof reservedIpSchema>;

const reservedIpv6Schema = z.object({
  ip: z.string(),
  region_slug: z.string(),
  droplet: z.object({ id: z.int() }).nullable(),
});
export type ReservedIpv6 = z.infer<typeof reservedIpv6Schema>;

/** A customer of a test, who speaks the public API and nothing else. */
export class Account {
  readonly id: number;
  readonly http: Http;

  constructor(id: number, http: Http) {
    this.id = id;
    this.http = http;
  }

  /** The same customer at another API process. */
  at(baseUrl: string): Account {
    return new Account(this.id, this.http.at(baseUrl));
  }

  /** Reserves an address in a region. */
  async reserve(region: string): Promise<string> {
    return readAddress(await this.http.post('/v2/reserved_ips', { region }));
  }

  /** Reserves an IPv6 address in a region. */
  async reserveIpv6(region: string): Promise<string> {
    return readIpv6Address(await this.http.post('/v2/reserved_ipv6', { region_slug: region }));
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
    const answer = await this.http.get(`/v2/reserved_ips/${ip}`);
    return expectAnswer(answer, 200, z.object({ reserved_ip: reservedIpSchema })).reserved_ip;
  }

  async showIpv6(ip: string): Promise<ReservedIpv6> {
    const answer = await this.http.get(pathOf(ip));
    return expectAnswer(answer, 200, z.object({ reserved_ipv6: reservedIpv6Schema })).reserved_ipv6;
  }

  async action(id: number): Promise<Action> {
    const answer = await this.http.get(`/v2/actions/${id}`);
    return expectAnswer(answer, 200, z.object({ action: actionSchema })).action;
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
  return expectAnswer(answer, 202, z.object({ reserved_ip: reservedIpSchema })).reserved_ip.ip;
}

/** The IPv6 address in a 201 answer. */
export function readIpv6Address(answer: Answer): string {
  return expectAnswer(answer, 201, z.object({ reserved_ipv6: reservedIpv6Schema })).reserved_ipv6.ip;
}

/** The address and the assign action in a 202 answer. */
export function readReserved(answer: Answer): { ip: string; actionId: number } {
  const schema = z.object({ links: z.object({ actions: z.tuple([z.object({ id: z.int() })]) }) });
  const [action] = expectAnswer(answer, 202, schema).links.actions;
  return { ip: readAddress(answer), actionId: action.id };
}
