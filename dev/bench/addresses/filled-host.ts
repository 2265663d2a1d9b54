import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { expectStatus } from '../../environment/http.ts';
import type { BedHost } from '../../testbed/bed-host.ts';
import type { ControlPlane } from '../../testbed/bed-stack.ts';
import type { Testbed } from '../../testbed/topology.ts';
import { untilTrue } from '../../testbed/until.ts';

const AT_ONCE = 16;
const LIMIT = 10_000;
const REQUESTS = 10_000_000;
const POLL_TIMEOUT_MS = 60_000;

const tokenAnswer = z.object({ token: z.string() });
const accountAnswer = z.object({ account: z.object({ id: z.int() }) });
const dropletAnswer = z.object({ droplet: z.object({ id: z.int() }) });
const reservedAnswer = z.object({ reserved_ip: z.object({ ip: z.string() }) });
const actionAnswer = z.object({ action: z.object({ id: z.int(), status: z.string() }) });
const appliedLine = z.object({
  msg: z.literal('applied'),
  change: z.enum(['attach', 'detach']),
  milliseconds: z.number(),
});

/** Where a host is, and what it is known by. */
export interface FilledHostOptions {
  host: BedHost;
  /** Name of its region, and of the host in it. */
  name: string;
  /** Range of the region's addresses. */
  pool: string;
}

/** Times of one kind of change, in milliseconds: in the host's agent, and until the customer's action is completed. */
export interface ChangeTimes {
  agent: { attach: number[]; detach: number[] };
  completed: { attach: number[]; detach: number[] };
}

/** A host with a region, an account and an agent of its own, so that every droplet is on it. */
export class FilledHost {
  readonly #controlPlane: ControlPlane;
  readonly #options: FilledHostOptions;
  readonly #agent: { apiUrl: string; token: string };
  readonly #logFile: string;
  readonly #token: string;
  readonly #completed: ChangeTimes['completed'] = { attach: [], detach: [] };
  #spare: { address: string; dropletId: number } | null = null;

  private constructor(
    controlPlane: ControlPlane,
    options: FilledHostOptions,
    { agent, logFile, token }: { agent: { apiUrl: string; token: string }; logFile: string; token: string },
  ) {
    this.#controlPlane = controlPlane;
    this.#options = options;
    this.#agent = agent;
    this.#logFile = logFile;
    this.#token = token;
  }

  /** Makes the control plane know the host, and starts its agent. */
  static async make(controlPlane: ControlPlane, bed: Testbed, options: FilledHostOptions): Promise<FilledHost> {
    const { host, name, pool } = options;
    const { apiUrl, adminToken } = controlPlane;
    const admin = async (method: 'POST' | 'PUT', path: string, body: unknown, status: number) =>
      (await expectStatus({ method, url: `${apiUrl}/internal/v1${path}`, token: adminToken, body }, status)).body;
    await admin('PUT', `/regions/${name}`, { name }, 200);
    await admin('POST', '/pools', { region: name, cidr: pool }, 201);
    await bed.addPool(pool);
    await admin('PUT', `/hosts/${name}`, { region: name, anchor_cidr: host.anchorRange }, 200);
    const { token: hostToken } = tokenAnswer.parse(await admin('POST', `/hosts/${name}/tokens`, undefined, 201));
    const limits = { reserved_ip_limit: LIMIT, droplet_limit: LIMIT };
    const account = await admin('POST', '/accounts', { name, email: `${name}@example.com`, ...limits }, 201);
    const rates = { name: 'bench', requests_per_minute: REQUESTS, requests_per_hour: REQUESTS };
    const path = `/accounts/${accountAnswer.parse(account).account.id}/tokens`;
    const { token } = tokenAnswer.parse(await admin('POST', path, rates, 201));
    const agent = { apiUrl: `http://${bed.controlAddress}:${new URL(apiUrl).port}`, token: hostToken };
    const logFile = join(bed.folder, `host-${bed.hosts.indexOf(host) + 1}.log`);
    const filled = new FilledHost(controlPlane, options, { agent, logFile, token });
    filled.#startAgent();
    return filled;
  }

  /** Attaches so many addresses, each to a droplet of its own, and keeps one more that is not attached. */
  async fill(count: number): Promise<void> {
    let left = count;
    const one = async () => {
      while (left-- > 0) {
        const droplet_id = await this.#createDroplet();
        const reserved = reservedAnswer.parse(await this.#api('POST', '/v2/reserved_ips', { droplet_id }, 202));
        await untilTrue(
          `${reserved.reserved_ip.ip} is attached`,
          async () => (await this.#holder(reserved.reserved_ip.ip)) === droplet_id,
          POLL_TIMEOUT_MS,
        );
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, one));
    const dropletId = await this.#createDroplet();
    const answer = await this.#api('POST', '/v2/reserved_ips', { region: this.#options.name }, 202);
    this.#spare = { address: reservedAnswer.parse(answer).reserved_ip.ip, dropletId };
  }

  /** Attaches and detaches the spare address. */
  async takeTurn(): Promise<void> {
    if (!this.#spare) throw new Error('the host has not been filled');
    const { address, dropletId } = this.#spare;
    for (const [change, body] of [
      ['attach', { type: 'assign', droplet_id: dropletId }],
      ['detach', { type: 'unassign' }],
    ] as const) {
      const started = performance.now();
      const answer = await this.#api('POST', `/v2/reserved_ips/${address}/actions`, body, 201);
      const { action } = actionAnswer.parse(answer);
      await untilTrue(`action ${action.id} is completed`, async () => {
        const now = actionAnswer.parse(await this.#api('GET', `/v2/actions/${action.id}`, undefined, 200));
        return now.action.status === 'completed';
      });
      this.#completed[change].push(performance.now() - started);
    }
  }

  /** The times of the last turns. */
  async times(turns: number): Promise<ChangeTimes> {
    const agent: ChangeTimes['agent'] = { attach: [], detach: [] };
    for (const line of (await readFile(this.#logFile, 'utf8')).split('\n')) {
      if (!line.startsWith('{')) continue;
      const { data } = appliedLine.safeParse(JSON.parse(line));
      if (data) agent[data.change].push(data.milliseconds);
    }
    const last = (times: { attach: number[]; detach: number[] }) => ({
      attach: times.attach.slice(-turns),
      detach: times.detach.slice(-turns),
    });
    return { agent: last(agent), completed: last(this.#completed) };
  }

  /**
   * Takes everything off the host behind the back of its agent, and starts the agent again. Resolves with the
   * milliseconds from its start until the host announces all that it should.
   */
  async reconcileFromNothing(count: number): Promise<number> {
    const { host } = this.#options;
    await host.killAgent();
    await host.namespace.run('nft', ['delete', 'table', 'inet', 'reserved_ip']);
    await host.namespace.run('ip', ['-4', 'address', 'flush', 'dev', 'uplink', 'to', this.#options.pool]);
    if ((await this.#answering()) !== 0) throw new Error('the host still announces something');
    const started = performance.now();
    this.#startAgent();
    await untilTrue(`the host announces ${count} addresses`, async () => (await this.#answering()) === count);
    return performance.now() - started;
  }

  async #answering(): Promise<number> {
    const { host, pool } = this.#options;
    const lines = await host.namespace.run('ip', ['-4', '-o', 'address', 'show', 'dev', 'uplink', 'to', pool]);
    return lines.split('\n').filter((line) => line !== '').length;
  }

  #startAgent(): void {
    const { host, name } = this.#options;
    host.startAgent({ name, ...this.#agent });
  }

  async #createDroplet(): Promise<number> {
    const body = { name: 'filler', region: this.#options.name, size: 's-1vcpu-1gb', image: 'debian-12-x64' };
    return dropletAnswer.parse(await this.#api('POST', '/v2/droplets', body, 202)).droplet.id;
  }

  async #holder(address: string): Promise<number | undefined> {
    const schema = z.object({ reserved_ip: z.object({ droplet: z.object({ id: z.int() }).nullable() }) });
    const answer = await this.#api('GET', `/v2/reserved_ips/${address}`, undefined, 200);
    return schema.parse(answer).reserved_ip.droplet?.id;
  }

  async #api(method: 'GET' | 'POST', path: string, body: unknown, status: number): Promise<unknown> {
    const url = `${this.#controlPlane.apiUrl}${path}`;
    return (await expectStatus({ method, url, token: this.#token, body }, status)).body;
  }
}
