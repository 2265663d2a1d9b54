import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import ipaddr from 'ipaddr.js';
import type { IpVersion } from '../../domain/address.ts';
import { anchorFor, anchorPrefixLength, gatewayOf } from '../../domain/anchor.ts';
import { PROJECT_FOLDER } from '../environment/paths.ts';
import { Namespace } from './namespace.ts';
import { untilTrue } from './until.ts';

const SERVING_TIMEOUT_MS = 10_000;
/** Where the pools of test beds are: measurements (RFC 2544) and documentation. */
const RESERVED_RANGES = '198.18.0.0/15,192.0.2.0/24,198.51.100.0/24,203.0.113.0/24,2001:db8::/32';

/** How a host is built into its test bed. */
export interface BedHostOptions {
  router: Namespace;
  /** Name of the host's namespace for an empty role, and of those of its droplets. */
  namespaceName: (role: string) => string;
  /** The router's end of the host's cable. */
  port: string;
  underlay: { ipv4: string; ipv6: string; gateways: readonly string[] };
  /** Range of the droplets' anchors. */
  anchorRange: string;
  folder: string;
}

/** A droplet as its host needs it. */
export interface BedDroplet {
  id: number;
  name: string;
  /** Its IPv4 anchor; the IPv6 one follows from it. */
  anchor: string;
}

/** What an agent of a host is started with. */
export interface AgentSettings {
  /** Name of the host in the control plane. */
  name: string;
  apiUrl: string;
  token: string;
  /** Time between two comparisons with the desired state; default 60. */
  reconcileSeconds?: number;
}

/** A host in a namespace of its own, with its droplets in theirs. */
export class BedHost {
  readonly anchorRange: string;
  readonly droplets: { droplet: BedDroplet; namespace: Namespace }[] = [];
  readonly #options: BedHostOptions;
  #namespace: Namespace | null = null;
  #agent: ChildProcess | null = null;

  constructor(options: BedHostOptions) {
    this.#options = options;
    this.anchorRange = options.anchorRange;
  }

  /** The host's namespace. Throws while it is off. */
  get namespace(): Namespace {
    if (!this.#namespace) throw new Error(`${this.#options.port} is off`);
    return this.#namespace;
  }

  /** Whether an anchor address is one of this host's. */
  hasAnchor(anchor: string): boolean {
    return ipaddr.IPv4.parse(anchor).match(ipaddr.IPv4.parseCIDR(this.anchorRange));
  }

  /** The host with its devices and no droplet, as after a boot. */
  async powerOn(): Promise<void> {
    const { router, namespaceName, port, underlay } = this.#options;
    const namespace = await Namespace.add(namespaceName(''), { forwards: true });
    this.#namespace = namespace;
    await router.ip(
      `link add ${port} type veth peer name uplink netns ${namespace.name}`,
      `link set ${port} master public`,
      `link set ${port} up`,
    );
    await namespace.ip(
      'link set uplink up',
      `address add ${underlay.ipv4} dev uplink`,
      `address add ${underlay.ipv6} dev uplink nodad`,
      ...underlay.gateways.map((address) => `route add default via ${address}`),
      'link add droplets type bridge mcast_snooping 0',
      'link set droplets up',
      `address add ${this.#inRange(4, gatewayOf(4, this.anchorRange))} dev droplets`,
      `address add ${this.#inRange(6, gatewayOf(6, this.anchorRange))} dev droplets nodad`,
    );
  }

  /** Everything in it ends at once, its agent and its droplets included, and its network with it. */
  async powerOff(): Promise<void> {
    for (const { namespace } of this.droplets.splice(0)) await namespace.delete();
    this.#agent = null;
    await this.#namespace?.delete();
    this.#namespace = null;
  }

  /** Pulls the cable out of the router. */
  async cut(): Promise<void> {
    await this.#options.router.ip(`link set ${this.#options.port} down`);
  }

  /** Puts the cable back. */
  async repair(): Promise<void> {
    await this.#options.router.ip(`link set ${this.#options.port} up`);
  }

  /** Something behind the cable loses everything that the host sends, while the cable itself is well. */
  async block(): Promise<void> {
    const { router, port } = this.#options;
    const hook = `{ type filter hook ingress device "${port}" priority 0; policy drop; }`;
    await router.run('nft', ['-f', '-'], {
      input: `add table netdev ${port}\nadd chain netdev ${port} lost ${hook}\n`,
    });
  }

  /** Undoes {@link block}. */
  async unblock(): Promise<void> {
    const { router, port } = this.#options;
    await router.run('nft', ['delete', 'table', 'netdev', port]);
  }

  /** Adds a droplet that runs nothing yet. */
  async addDroplet(droplet: BedDroplet): Promise<Namespace> {
    const namespace = await Namespace.add(this.#options.namespaceName(`-droplet-${droplet.id}`));
    this.droplets.push({ droplet, namespace });
    const device = `d${droplet.id}`;
    await this.namespace.ip(
      `link add ${device} type veth peer name eth0 netns ${namespace.name}`,
      `link set ${device} master droplets`,
      `link set ${device} up`,
    );
    await namespace.ip(
      `address add ${this.#inRange(4, droplet.anchor)} dev eth0`,
      `address add ${this.#inRange(6, anchorFor(6, droplet.anchor))} dev eth0 nodad`,
      'link set eth0 up',
      `route add default via ${gatewayOf(4, this.anchorRange)}`,
      `route add default via ${gatewayOf(6, this.anchorRange)}`,
    );
    return namespace;
  }

  /** A droplet is gone at once, with all that it runs. */
  async removeDroplet(id: number): Promise<void> {
    const index = this.droplets.findIndex(({ droplet }) => droplet.id === id);
    for (const { namespace } of index < 0 ? [] : this.droplets.splice(index, 1)) await namespace.delete();
  }

  /** Adds a droplet that answers HTTP on port 80 with its own name and the address it was asked from. */
  async addServingDroplet(droplet: BedDroplet): Promise<Namespace> {
    const namespace = await this.addDroplet(droplet);
    namespace.spawn(process.execPath, [join(PROJECT_FOLDER, 'dev/testbed/name-server.ts'), droplet.name], {
      logFile: join(this.#options.folder, `droplet-${droplet.id}.log`),
    });
    const serves = () =>
      namespace.run('curl', ['-sS', '-m', '1', 'http://127.0.0.1/']).then(
        () => true,
        () => false,
      );
    await untilTrue(`droplet ${droplet.name} serves`, serves, SERVING_TIMEOUT_MS);
    return namespace;
  }

  /** Starts the host's agent with the Linux driver. */
  startAgent({ name, apiUrl, token, reconcileSeconds = 60 }: AgentSettings): ChildProcess {
    const stateFile = join(this.#options.folder, `${this.#options.port}.generations`);
    this.#agent = this.namespace.spawn(
      process.execPath,
      [
        ...[join(PROJECT_FOLDER, 'host/main.ts'), '--host', name, '--driver', 'linux', '--uplink', 'uplink'],
        ...['--state-file', stateFile, '--reconcile-seconds', String(reconcileSeconds)],
      ],
      {
        environment: {
          PATH: process.env.PATH,
          API_URL: apiUrl,
          HOST_TOKEN: token,
          LOG_LEVEL: 'debug',
          HOST_ADDRESS_RANGES: RESERVED_RANGES,
          HOST_ANCHOR_RANGES: this.anchorRange,
        },
        logFile: join(this.#options.folder, `${this.#options.port}.log`),
      },
    );
    return this.#agent;
  }

  /** Ends the agent in the middle of whatever it does. */
  async killAgent(): Promise<void> {
    const agent = this.#agent;
    this.#agent = null;
    if (!agent || agent.exitCode !== null || agent.signalCode !== null) return;
    const ended = once(agent, 'exit');
    agent.kill('SIGKILL');
    await ended;
  }
  /** An anchor of an IP version, with the length of the range's prefix. */
  #inRange(ipVersion: IpVersion, anchor: string): string {
    return `${anchor}/${anchorPrefixLength(ipVersion, this.anchorRange)}`;
  }
}
