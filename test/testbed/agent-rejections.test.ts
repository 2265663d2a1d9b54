import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { until } from '../../dev/kit/until.ts';
import type { BedHost } from '../../dev/testbed/bed-host.ts';
import type { Testbed } from '../../dev/testbed/topology.ts';
import { HOSTILE_ADDRESSES } from '../security/hostile-values.ts';
import { useRawControlPlane } from '../security/raw-control-plane.ts';
import { startAgent, useStateFile } from '../support/agents.ts';
import { CAN_HAVE_BEDS, createUnknownBed, linuxDriverOf } from '../support/bed.ts';
import { networkOf, readHostNetwork } from '../support/host-network.ts';

const GOOD = { address: '203.0.113.7', anchor: '10.17.0.2' };

const addressesSchema = z.array(z.object({ addr_info: z.array(z.object({ local: z.string().optional() })) }));
const routesSchema = z.array(z.object({ gateway: z.string() }));

describe.skipIf(!CAN_HAVE_BEDS)('an agent with the Linux driver', () => {
  let bed: Testbed;
  let host: BedHost;

  beforeAll(async () => {
    ({ bed, host } = await createUnknownBed());
  });
  afterEach(() => newDriver().remove());
  afterAll(() => bed?.close());

  const newDriver = () => linuxDriverOf(host);

  /** Lets the agent be commanded to attach these, and then a good one; answers what it said. */
  async function outcomesOf(wrong: readonly { address: string; anchor: string }[]) {
    const controlPlane = await useRawControlPlane();
    controlPlane.events = [...wrong, GOOD].map((pair, index) =>
      JSON.stringify({ sequence: index + 1, change: 'attach', generation: 1, droplet_id: index + 1, ...pair }),
    );
    const attachments = wrong.map((pair, index) => ({ generation: 1, droplet_id: index + 1, ...pair }));
    controlPlane.desired = JSON.stringify({ host: 'bed', sequence: 0, attachments });
    const stateFile = await useStateFile();
    const agent = startAgent({ apiUrl: controlPlane.url, token: 'bed', driver: newDriver(), stateFile });
    await until('all were acknowledged', async () => controlPlane.acknowledged.length > wrong.length, 20_000);
    await agent.stop();
    return controlPlane.acknowledged.sort((one, other) => one.sequence - other.sequence);
  }

  const addresses = () => host.namespace.run('ip', ['-o', 'address', 'show']);

  test('installs nothing that is special, no name and no second line', async () => {
    const before = await addresses();
    const outcomes = await outcomesOf([
      ...HOSTILE_ADDRESSES.map(([address]) => ({ address, anchor: '10.17.0.3' })),
      ...HOSTILE_ADDRESSES.map(([anchor]) => ({ address: '203.0.113.9', anchor })),
      { address: '2001:db8::7', anchor: '::1' },
    ]);
    expect(outcomes.pop()).toMatchObject({ outcome: 'applied' });
    expect(new Set(outcomes.map(({ outcome }) => outcome))).toEqual(new Set(['failed']));
    expect(await readHostNetwork(host)).toEqual(networkOf([GOOD]));
    await newDriver().remove();
    expect(await addresses()).toBe(before);
  });

  test('installs nothing that is of the host itself or of its routers, as address or as anchor', async () => {
    await host.namespace.ip('link add spare type bridge', 'link set spare up', 'address add 203.0.113.66/32 dev spare');
    const before = await addresses();
    const devices = addressesSchema.parse(JSON.parse(await host.namespace.run('ip', ['-j', 'address', 'show'])));
    const gateways = (
      await Promise.all(
        ['-4', '-6'].map(async (version) =>
          routesSchema.parse(JSON.parse(await host.namespace.run('ip', ['-j', version, 'route', 'show', 'default']))),
        ),
      )
    ).flat();
    const own = [
      ...devices.flatMap(({ addr_info }) => addr_info.flatMap(({ local }) => local ?? [])),
      ...gateways.map(({ gateway }) => gateway),
      '10.17.255.255',
      '10.17.0.0',
    ];
    expect(own).toEqual(expect.arrayContaining(['203.0.113.66', '10.17.0.1', 'fd5d:2a1c:7b60::a11:1', '127.0.0.1']));
    expect(gateways).toHaveLength(2);
    const isIPv6 = (address: string) => address.includes(':');
    const outcomes = await outcomesOf([
      ...own.map((address) => ({ address, anchor: isIPv6(address) ? 'fd5d:2a1c:7b60::a11:3' : '10.17.0.3' })),
      ...own.map((anchor) => ({ address: isIPv6(anchor) ? '2001:db8:ff::9' : '203.0.113.9', anchor })),
    ]);
    expect(outcomes.pop()).toMatchObject({ outcome: 'applied' });
    expect(outcomes.filter(({ outcome }) => outcome !== 'failed')).toEqual([]);
    const { inbound, outbound, attached } = await readHostNetwork(host);
    expect({ inbound, outbound, attached }).toMatchObject({ inbound: [`${GOOD.address} ${GOOD.anchor}`] });
    expect([outbound, attached]).toEqual([inbound, inbound]);
    await newDriver().remove();
    expect(await addresses()).toBe(before);
    await host.namespace.ip('link delete spare');
  });

  test('takes an address again that became free, and one that it has put on the uplink itself', async () => {
    const pair = { address: '203.0.113.66', anchor: '10.17.0.6' };
    await host.namespace.ip('address add 203.0.113.66/24 dev uplink');
    expect(await outcomesOf([pair])).toMatchObject([{ outcome: 'failed' }, { outcome: 'applied' }]);
    await host.namespace.ip('address del 203.0.113.66/24 dev uplink');
    expect(await outcomesOf([pair])).toMatchObject([{ outcome: 'applied' }, { outcome: 'applied' }]);
    expect(await outcomesOf([pair])).toMatchObject([{ outcome: 'applied' }, { outcome: 'applied' }]);
  });
});
