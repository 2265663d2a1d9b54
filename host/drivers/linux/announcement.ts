import { type Address, addressToBytes, ipVersionOf } from '../../../domain/address.ts';
import type { SystemCommands } from './command.ts';
import type { DeviceName } from './uplink.ts';

/*
 * Unsolicited announcements, so that neighbours send to this host at once: a gratuitous ARP request (RFC 5227), and an
 * unsolicited neighbour advertisement with the override flag (RFC 4861, 7.2.6). The frames are made here because the
 * usual tools send one address a process and then wait for a second.
 */

const ARP_FRAME_BYTES = 42;
const ADVERTISEMENT_FRAME_BYTES = 86;
const ALL_NODES = addressToBytes('ff02::1');

/** Tells the neighbours on a device that these addresses are at its hardware address. */
export async function announce(
  commands: SystemCommands,
  device: DeviceName,
  hardwareAddress: string,
  addresses: readonly Address[],
): Promise<void> {
  const hardware = Buffer.from(hardwareAddress.replaceAll(':', ''), 'hex');
  const ipv4 = addresses.filter((address) => ipVersionOf(address) === 4);
  const ipv6 = addresses.filter((address) => ipVersionOf(address) === 6);
  await Promise.all([
    sendFrames(
      commands,
      device,
      ARP_FRAME_BYTES,
      ipv4.map((address) => gratuitousArp(hardware, address)),
    ),
    sendFrames(
      commands,
      device,
      ADVERTISEMENT_FRAME_BYTES,
      ipv6.map((address) => neighbourAdvertisement(hardware, address)),
    ),
  ]);
}

/** Frames of one length: socat sends what it reads at a time, which is as much as its block size says. */
async function sendFrames(
  commands: SystemCommands,
  device: DeviceName,
  frameBytes: number,
  frames: readonly Buffer[],
): Promise<void> {
  if (frames.length === 0) return;
  await commands.run(
    'socat',
    ['-u', '-b', String(frameBytes), '-t', '0', '-', `INTERFACE:${device}`],
    Buffer.concat(frames),
  );
}

/** An Ethernet frame with an ARP request in which sender and target are the address itself. */
export function gratuitousArp(hardware: Buffer, address: Address): Buffer {
  const bytes = addressToBytes(address);
  return Buffer.concat([
    Buffer.from('ffffffffffff', 'hex'),
    hardware,
    Buffer.from('0806' + '0001' + '0800' + '06' + '04' + '0001', 'hex'),
    hardware,
    bytes,
    Buffer.alloc(6),
    bytes,
  ]);
}

/** An Ethernet frame with an unsolicited neighbour advertisement to all nodes. */
export function neighbourAdvertisement(hardware: Buffer, address: Address): Buffer {
  const target = addressToBytes(address);
  const override = Buffer.from('20000000', 'hex');
  const message = Buffer.concat([
    Buffer.from('88000000', 'hex'),
    override,
    target,
    Buffer.from('0201', 'hex'),
    hardware,
  ]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(message.length);
  const pseudoHeader = Buffer.concat([target, ALL_NODES, length, Buffer.from('0000003a', 'hex')]);
  message.writeUInt16BE(checksumOf(Buffer.concat([pseudoHeader, message])), 2);
  return Buffer.concat([
    Buffer.from('333300000001', 'hex'),
    hardware,
    Buffer.from('86dd' + '60000000', 'hex'),
    length.subarray(2),
    Buffer.from('3aff', 'hex'),
    target,
    ALL_NODES,
    message,
  ]);
}

/** The Internet checksum (RFC 1071) of an even number of bytes. */
function checksumOf(bytes: Buffer): number {
  let sum = 0;
  for (let offset = 0; offset < bytes.length; offset += 2) sum += bytes.readUInt16BE(offset);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
