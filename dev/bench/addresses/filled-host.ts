import { join } from 'node:path';
import { z } from 'zod';
import type { Account } from '../../kit/account.ts';
import { readJsonLines } from '../../kit/json-lines.ts';
import { until } from '../../kit/until.ts';
import type { ControlPlane } from '../../testbed/bed-environment.ts';
import type { BedHost } from '../../testbed/bed-host.ts';
import type { Testbed } from '../../testbed/topology.ts';

const AT_ONCE = 16;
const POLL_TIMEOUT_MS = 60_000;

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
  readonly #options: FilledHostOptions;
  readonly #agent: { apiUrl: string; token: string };
  readonly #logFile: string;
  readonly #account: Account;
  readonly #completed: ChangeTimes['completed'] = { attach: [], detach: [] };
  #spare: { address: string; dropletId: number } | null = null;

  private constructor(
    options: FilledHostOptions,
    { agent, logFile, account }: { agent: { apiUrl: string; token: string }; logFile: string; account: Account },
  ) {
    this.#options = options;
    this.#agent = agent;
    this.#logFile = logFile;
    this.#account = account;
  }

  /** Makes the control plane know the host, and starts its agent. */
  static async make({ operator }: ControlPlane, bed: Testbed, options: FilledHostOptions): Promise<FilledHost> {
    const { host, name, pool } = options;
    await operator.makeRegion(name, pool);
    await bed.addPool(pool);
    const { token } = await operator.registerHost(name, name, host.anchorRange);
    const account = await operator.makeAccount(name);
    const agent = { apiUrl: `http://${bed.controlAddress}:${new URL(operator.http.baseUrl).port}`, token };
    const logFile = join(bed.folder, `host-${bed.hosts.indexOf(host) + 1}.log`);
    const filled = new FilledHost(options, { agent, logFile, account });
    filled.#startAgent();
    return filled;
  }

  /** Attaches so many addresses, each to a droplet of its own, and keeps one more that is not attached. */
  async fill(count: number): Promise<void> {
    let left = count;
    const one = async () => {
      while (left-- > 0) {
        const dropletId = await this.#makeDroplet();
        const { ip } = await this.#account.reserveFor(dropletId);
        const isAttached = async () => (await this.#account.show(ip)).droplet?.id === dropletId;
        await until(`${ip} is attached`, isAttached, POLL_TIMEOUT_MS);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, one));
    const dropletId = await this.#makeDroplet();
    this.#spare = { address: await this.#account.reserve(this.#options.name), dropletId };
  }

  /** Attaches and detaches the spare address. */
  async takeTurn(): Promise<void> {
    if (!this.#spare) throw new Error('the host has not been filled');
    const { address, dropletId } = this.#spare;
    for (const change of ['attach', 'detach'] as const) {
      const started = performance.now();
      await (change === 'attach' ? this.#account.assign(address, dropletId) : this.#account.unassign(address));
      this.#completed[change].push(performance.now() - started);
    }
  }

  /** The times of the last turns. */
  async times(turns: number): Promise<ChangeTimes> {
    const agent: ChangeTimes['agent'] = { attach: [], detach: [] };
    for (const { change, milliseconds } of await readJsonLines(appliedLine, this.#logFile)) {
      agent[change].push(milliseconds);
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
    await until(`the host announces ${count} addresses`, async () => (await this.#answering()) === count);
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

  #makeDroplet(): Promise<number> {
    return this.#account.makeDroplet(this.#options.name, 'filler');
  }
}
