import { z } from 'zod';
import { ipVersionOf, parseAddress } from '../../../domain/address.ts';
import { type CanonicalAddress, canonicalAddressSchema } from '../../canonical-address.ts';
import type { SystemCommands } from './command.ts';

/**
 * Marks the addresses on the uplink that the agent has put there. A metric, since it is the one attribute that every
 * kernel keeps for addresses of both families; without a prefix route it has no other effect.
 */
export const OWN_METRIC = 8187;

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
  own: Set<CanonicalAddress>;
}

/** Name of a network device, as it may stand in a command. */
export const deviceNameSchema = z
  .string()
  .regex(/^[A-Za-z0-9_][A-Za-z0-9_.:-]{0,14}$/, 'cannot be the name of a network device')
  .brand<'DeviceName'>();

export type DeviceName = z.infer<typeof deviceNameSchema>;

/** Reads the uplink. Throws when the device is not there. */
export async function readUplink(commands: SystemCommands, device: DeviceName): Promise<Uplink> {
  const [link] = addressesSchema.parse(JSON.parse(await commands.run('ip', ['-j', 'address', 'show', 'dev', device])));
  if (!link) throw new Error(`there is no device ${device}`);
  const uplink: Uplink = { hardwareAddress: link.address, own: new Set() };
  for (const { local, metric } of link.addr_info) {
    const { data } = canonicalAddressSchema.safeParse(parseAddress(local));
    if (data !== undefined && metric === OWN_METRIC) uplink.own.add(data);
  }
  return uplink;
}

/** Takes addresses off the uplink and puts others on it. What comes after the first that fails is left undone. */
export async function changeUplink(
  commands: SystemCommands,
  device: DeviceName,
  { remove = [], add = [] }: { remove?: readonly CanonicalAddress[]; add?: readonly CanonicalAddress[] },
): Promise<void> {
  if (remove.length + add.length === 0) return;
  const lines = [
    ...remove.map((address) => `address del ${withPrefix(address)} dev ${device}`),
    ...add.map((address) => `address replace ${withPrefix(address)} dev ${device} ${attributesOf(address)}`),
  ];
  await commands.run('ip', ['-batch', '-'], `${lines.join('\n')}\n`);
}

function withPrefix(address: CanonicalAddress): string {
  return `${address}/${ipVersionOf(address) === 4 ? 32 : 128}`;
}

/** Deprecated from the start, so that the host never takes a customer's address for its own connections. */
function attributesOf(address: CanonicalAddress): string {
  const common = `metric ${OWN_METRIC} noprefixroute preferred_lft 0`;
  return ipVersionOf(address) === 4 ? common : `${common} nodad`;
}

/** Whether the device is up and has a carrier. */
export async function hasCarrier(commands: SystemCommands, device: DeviceName): Promise<boolean> {
  const [link] = linksSchema.parse(JSON.parse(await commands.run('ip', ['-j', 'link', 'show', 'dev', device])));
  return link?.flags.includes('LOWER_UP') === true && link.flags.includes('UP');
}

/** Whether the next router on the uplink answers; null when the uplink leads to none that could be asked. */
export async function gatewayAnswers(commands: SystemCommands, device: DeviceName): Promise<boolean | null> {
  const output = await commands.run('ip', ['-j', '-4', 'route', 'show', 'default', 'dev', device]);
  const gateway = routesSchema.parse(JSON.parse(output || '[]')).find((route) => route.gateway !== undefined)?.gateway;
  if (gateway === undefined || parseAddress(gateway) === null) return null;
  return commands.run('arping', ['-q', '-f', '-c', '3', '-w', '2', '-I', device, gateway]).then(
    () => true,
    () => false,
  );
}
