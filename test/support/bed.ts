import { randomInt } from 'node:crypto';
import { pino } from 'pino';
import { inject } from 'vitest';
import { Operator } from '../../dev/kit/operator.ts';
import type { BedHost } from '../../dev/testbed/bed-host.ts';
import { type Control, currentControl } from '../../dev/testbed/control.ts';
import { type Population, populate } from '../../dev/testbed/population.ts';
import { createTestbed, type Testbed } from '../../dev/testbed/topology.ts';
import { SystemCommands } from '../../host/drivers/linux/command.ts';
import { LinuxDriver } from '../../host/drivers/linux/driver.ts';
import { deviceNameSchema } from '../../host/drivers/linux/uplink.ts';

/** Whether this run can have test beds; `npm test` says why when it cannot. */
export const CAN_HAVE_BEDS = currentControl() !== null;

/** A test bed that the environment of the run knows. */
export type KnownBed = Testbed & Population;

/** Makes a test bed of which the environment knows nothing; the caller closes it. */
export async function createUnknownBed(): Promise<{ bed: Testbed; host: BedHost }> {
  const bed = await createTestbed({ control: controlOfRun() });
  const [host] = bed.hosts;
  if (!host) throw new Error('the bed has no host');
  return { bed, host };
}

/** A Linux driver of a host, as each start of its agent makes one. */
export function linuxDriverOf(host: BedHost): LinuxDriver {
  const commands = new SystemCommands(['nsenter', `--net=/run/netns/${host.namespace.name}`]);
  return new LinuxDriver({ uplink: deviceNameSchema.parse('uplink'), logger: pino({ level: 'silent' }), commands });
}

/** Makes a test bed and makes the environment know it; agents are not started. The caller closes it. */
export async function createKnownBed(options: { dropletsPerHost?: number; serving?: boolean } = {}): Promise<KnownBed> {
  const control = controlOfRun();
  const { apiUrl, adminToken } = inject('environment');
  const bed = await createTestbed({ control });
  try {
    const { dropletsPerHost = 1, serving = true } = options;
    const pools = [randomIpv4Range, randomIpv6Range];
    const operator = new Operator(apiUrl, adminToken);
    return { ...(await populate(bed, { operator, pools, dropletsPerHost, serving })), ...bed };
  } catch (error) {
    await bed.close();
    throw error;
  }
}

function controlOfRun(): Control {
  const control = currentControl();
  if (!control) throw new Error('no test bed can be made in this run');
  return control;
}

/** Of 198.18.0.0/15, which is set aside for measurements. */
function randomIpv4Range(): string {
  return `198.${18 + randomInt(2)}.${randomInt(256)}.0/24`;
}

/** Of the documentation prefix. */
function randomIpv6Range(): string {
  return `2001:db8:f:${randomInt(1, 0x10000).toString(16)}::/112`;
}
