import { z } from 'zod';
import { type Address, familyOf, parseAddress } from '../../../domain/address.ts';
import type { HostCommands } from './command.ts';

/**
 * Marks the addresses on the uplink that the agent has put there. A metric, since it is the one attribute that every
 * kernel keeps for addresses of both families; without a prefix route it has no other effect.
 */
const OWN_METRIC = 8187;

const linkFields = {
  ifname: z.string(),
  flags: z.array(z.string()),
  address: z.string(),
};

const addressesSchema = z.array(
  z.object({
    ...linkFields,
    addr_info: z.array(z.object({ local: z.string(), prefixlen: z.int(), metric: z.int().optional() })),
  }),
);
const linksSchema = z.array(z.object(linkFields));
const routesSchema = z.array(z.object({ gateway: z.string().optional() }));

/** What is on the device that faces the network. */
export interface Uplink {
  hardwareAddress: string;
  /** Addresses that the agent has put there. */
  own: Set<Address>;
  /** All others; not to be touched. */
  foreign: Set<Address>;
}

/** Reads the uplink. Throws when the device is not there. */
export async function readUplink(commands: HostCommands, device: string): Promise<Uplink> {
  const [link] = addressesSchema.parse(JSON.parse(await commands.run('ip', ['-j', 'address', 'show', 'dev', device])));
  if (!link) throw new Error(`there is no device ${device}`);
  const uplink: Uplink = { hardwareAddress: link.address, own: new Set(), foreign: new Set() };
  for (const { local, metric } of link.addr_info) {
    const address = parseAddress(local);
    if (address !== null) (metric === OWN_METRIC ? uplink.own : uplink.foreign).add(address);
  }
  return uplink;
}

/** Takes addresses off the uplink and puts others on it. What comes after the first that fails is left undone. */
export async function changeUplink(
  commands: HostCommands,
  device: string,
  { remove = [], add = [] }: { remove?: readonly Address[]; add?: readonly Address[] },
): Promise<void> {
  if (remove.length + add.length === 0) return;
  const lines = [
    ...remove.map((address) => `address del ${withPrefix(address)} dev ${device}`),
    ...add.map((address) => `address replace ${withPrefix(address)} dev ${device} ${attributesOf(address)}`),
  ];
  await commands.run('ip', ['-batch', '-'], `${lines.join('\n')}\n`);
}

function withPrefix(address: Address): string {
  return `${address}/${familyOf(address) === 4 ? 32 : 128}`;
}

/** Deprecated from the start, so that the host never takes a customer's address for its own connections. */
function attributesOf(address: Address): string {
  const common = `metric ${OWN_METRIC} noprefixroute preferred_lft 0`;
  return familyOf(address) === 4 ? common : `${common} nodad`;
}

/** Whether the device is up and has a carrier. */
export async function hasCarrier(commands: HostCommands, device: string): Promise<boolean> {
  const [link] = linksSchema.parse(JSON.parse(await commands.run('ip', ['-j', 'link', 'show', 'dev', device])));
  return link?.flags.includes('LOWER_UP') === true && link.flags.includes('UP');
}

/** Whether the next router on the uplink answers; null when the uplink leads to none that could be asked. */
export async function gatewayAnswers(commands: HostCommands, device: string): Promise<boolean | null> {
  const output = await commands.run('ip', ['-j', '-4', 'route', 'show', 'default', 'dev', device]);
  const gateway = routesSchema.parse(JSON.parse(output || '[]')).find((route) => route.gateway !== undefined)?.gateway;
  if (gateway === undefined || parseAddress(gateway) === null) return null;
  return commands.run('arping', ['-q', '-f', '-c', '3', '-w', '2', '-I', device, gateway]).then(
    () => true,
    () => false,
  );
}
