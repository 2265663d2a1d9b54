import { randomInt } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BedHost } from './bed-host.ts';
import type { Control } from './control.ts';
import { Namespace } from './namespace.ts';

/*
 *  client ── router ══ public ══ host-1 ── droplets
 *               │         ╠═════ host-2 ── droplets
 *            control      ╚═════ host-3 ── droplets
 *
 * Every name but the public ones is a network namespace. The hosts and the router are neighbours on `public`; the API
 * is in `control`, which hosts and client reach through the router.
 */

const HOSTS = 3;
const MOST_BEDS = 250;
const ATTEMPTS = 20;

/** What a test bed is made with. */
export interface TestbedOptions {
  control: Control;
}

/** Network namespaces that stand for a client, a router and hosts; droplets are added to the hosts. */
export interface Testbed {
  client: Namespace;
  router: Namespace;
  hosts: BedHost[];
  /** The client's own addresses, as droplets see them. */
  clientAddresses: { ipv4: string; ipv6: string };
  /** Where hosts and client reach what listens in the control namespace. */
  controlAddress: string;
  /** Logs and state files of the programs in the bed; removed with it. */
  folder: string;
  /** Makes the router expect the addresses of a range on `public`. */
  addPool(range: string): Promise<void>;
  close(): Promise<void>;
}

/** Makes a test bed. Nothing of it is left when that fails. */
export async function createTestbed({ control }: TestbedOptions): Promise<Testbed> {
  const folder = await mkdtemp(join(tmpdir(), 'reserved-ip-testbed-'));
  const number = await takeNumber(control);
  return build(control, number, folder);
}

/** A number that no other bed of this control namespace has: a device there stands for it. */
async function takeNumber(control: Control): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    const number = randomInt(1, MOST_BEDS);
    try {
      await control.namespace.ip(`link add bed${number}-taken type bridge`);
      return number;
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
    }
  }
}

async function build(control: Control, number: number, folder: string): Promise<Testbed> {
  const named = (role: string) => `${control.prefix}${number}-${role}`;
  const made: Namespace[] = [];
  const hosts: BedHost[] = [];
  const close = async () => {
    for (const host of hosts) await host.powerOff();
    for (const namespace of made) await namespace.delete();
    await control.namespace.ip(`link delete bed${number}-taken`);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const router = await Namespace.add(named('router'), { forwards: true });
    made.push(router);
    const client = await Namespace.add(named('client'));
    made.push(client);
    await router.ip(
      'link add public type bridge mcast_snooping 0',
      'link set public up',
      `address add 10.91.${number}.1/24 dev public`,
      'address add 2001:db8:91::1/64 dev public nodad',
      `link add client type veth peer name eth0 netns ${client.name}`,
      `address add 10.90.${number}.1/24 dev client`,
      'address add 2001:db8:90::1/64 dev client nodad',
      'link set client up',
      `link add control type veth peer name bed${number} netns ${control.namespace.name}`,
      `address add 10.92.${number}.1/24 dev control`,
      'link set control up',
    );
    await client.ip(
      `address add 10.90.${number}.2/24 dev eth0`,
      'address add 2001:db8:90::2/64 dev eth0 nodad',
      'link set eth0 up',
      `route add default via 10.90.${number}.1`,
      'route add default via 2001:db8:90::1',
    );
    await control.namespace.ip(
      `address add 10.92.${number}.2/24 dev bed${number}`,
      `link set bed${number} up`,
      `route add 10.90.${number}.0/24 via 10.92.${number}.1`,
      `route add 10.91.${number}.0/24 via 10.92.${number}.1`,
    );
    for (let host = 1; host <= HOSTS; host++) {
      hosts.push(
        new BedHost({
          router,
          namespaceName: (role) => named(`host-${host}${role}`),
          port: `host-${host}`,
          underlay: {
            ipv4: `10.91.${number}.${10 + host}/24`,
            ipv6: `2001:db8:91::${10 + host}/64`,
            gateways: [`10.91.${number}.1`, '2001:db8:91::1'],
          },
          anchorRange: `10.${16 + host}.0.0/16`,
          folder,
        }),
      );
    }
    await Promise.all(hosts.map((host) => host.powerOn()));
    return {
      client,
      router,
      hosts,
      clientAddresses: { ipv4: `10.90.${number}.2`, ipv6: '2001:db8:90::2' },
      controlAddress: `10.92.${number}.2`,
      folder,
      addPool: (range) => router.ip(`route add ${range} dev public`),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
