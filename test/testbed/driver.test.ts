import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { until } from '../../dev/kit/until.ts';
import type { BedHost } from '../../dev/testbed/bed-host.ts';
import type { Testbed } from '../../dev/testbed/topology.ts';
import type { PermittedAttachment } from '../../host/attachment-policy.ts';
import type { LinuxDriver } from '../../host/drivers/linux/driver.ts';
import { canonical, permitted } from '../support/attachments.ts';
import { CAN_HAVE_BEDS, createUnknownBed, linuxDriverOf } from '../support/bed.ts';

const neighboursSchema = z.array(z.object({ dst: z.string(), lladdr: z.string().optional() }));

/** An attachment to the nth anchor of the first host. */
function attachment(address: string, anchorNumber = 2): PermittedAttachment {
  const last = anchorNumber.toString(16);
  const anchor = address.includes(':') ? `fd5d:2a1c:7b60::a11:${last}` : `10.17.0.${anchorNumber}`;
  return permitted({ address, anchor, dropletId: 3_000_000 + anchorNumber, generation: 1 });
}

const IPV4 = attachment('203.0.113.7');
const IPV6 = attachment('2001:db8:ff::7');

describe.skipIf(!CAN_HAVE_BEDS)('the Linux driver', () => {
  let bed: Testbed;
  let host: BedHost;
  let driver: LinuxDriver;

  beforeAll(async () => {
    ({ bed, host } = await createUnknownBed());
    driver = newDriver();
  });
  afterEach(async () => {
    await newDriver().remove();
    driver = newDriver();
  });
  afterAll(() => bed?.close());

  /** Another driver of the same host, as after a restart. */
  const newDriver = () => linuxDriverOf(host);

  const nft = (...words: string[]) => host.namespace.run('nft', words);
  const ruleset = () => nft('list', 'ruleset');
  const addresses = () => host.namespace.run('ip', ['-o', 'address', 'show']);

  test('lists what it has attached, of both IP versions', async () => {
    await driver.attach(IPV4);
    await driver.attach(IPV6);
    const expected = [IPV4, IPV6].map(({ generation: _, ...present }) => ({ ...present, announcing: true }));
    expect(await driver.list()).toEqual(expect.arrayContaining(expected));
    expect(await newDriver().list()).toHaveLength(2);
  });

  test('leaves nothing behind when all is detached', async () => {
    await driver.list();
    const before = [await ruleset(), await addresses()];
    await driver.attach(IPV4);
    await driver.attach(IPV6);
    expect([await ruleset(), await addresses()]).not.toEqual(before);
    await driver.detach(IPV4.address);
    await driver.detach(IPV6.address);
    expect([await ruleset(), await addresses()]).toEqual(before);
    expect(await driver.list()).toEqual([]);
  });

  test('changes nothing when it is told the same again', async () => {
    await driver.attach(IPV4);
    const before = [await ruleset(), await addresses()];
    await driver.attach(IPV4);
    await newDriver().attach(IPV4);
    expect([await ruleset(), await addresses()]).toEqual(before);
    await driver.detach(IPV4.address);
    await driver.detach(IPV4.address);
    await newDriver().detach(canonical('203.0.113.200'));
    expect(await newDriver().list()).toEqual([]);
  });

  test('moves an address to another droplet of the host, and a droplet to another address', async () => {
    await driver.attach(IPV4);
    await driver.attach(attachment(IPV4.address, 3));
    expect(await newDriver().list()).toMatchObject([{ address: IPV4.address, anchor: '10.17.0.3' }]);
    await driver.attach(attachment('203.0.113.8', 3));
    expect(await newDriver().list()).toMatchObject([{ address: '203.0.113.8', anchor: '10.17.0.3' }]);
    expect(await addresses()).not.toContain(IPV4.address);
  });

  test('touches no table, rule, set or address that is not its own', async () => {
    await nft('add', 'table', 'inet', 'site');
    await nft('add', 'chain', 'inet', 'site', 'forward', '{ type filter hook forward priority 0; policy accept; }');
    await nft('add', 'rule', 'inet', 'site', 'forward', 'ip', 'daddr', IPV4.address, 'counter');
    await host.namespace.ip('address add 203.0.113.250/32 dev uplink');
    const before = [await ruleset(), await addresses()];

    await driver.attach(IPV4);
    await driver.withdraw();
    await driver.attach(IPV4);
    await driver.detach(IPV4.address);
    await driver.remove();

    expect([await ruleset(), await addresses()]).toEqual(before);
    await nft('delete', 'table', 'inet', 'site');
    await host.namespace.ip('address del 203.0.113.250/32 dev uplink');
  });

  test('rejects an address that somebody else has put on the uplink, and no other of the batch', async () => {
    await host.namespace.ip('address add 203.0.113.20/32 dev uplink');
    const batch = Array.from({ length: 30 }, (_, index) => attachment(`203.0.113.${10 + index}`, 10 + index));
    const results = await Promise.allSettled(batch.map((one) => driver.attach(one)));
    const rejected = results.flatMap((result) => (result.status === 'rejected' ? [String(result.reason)] : []));
    expect(rejected).toEqual(['Error: 203.0.113.20 is on uplink already, and not by this agent']);
    expect(await newDriver().list()).toHaveLength(29);
    await driver.detach(canonical('203.0.113.20'));
    expect(await addresses()).toContain('203.0.113.20');
    await host.namespace.ip('address del 203.0.113.20/32 dev uplink');
  });

  test('finds and clears away what a crash left half done', async () => {
    await driver.attach(IPV4);
    await nft('add', 'element', 'inet', 'reserved_ip', 'inbound4', '{ 203.0.113.77 : 10.17.0.77 }');
    await host.namespace.ip(
      'address add 203.0.113.78/32 dev uplink metric 8187 noprefixroute',
      `address del ${IPV4.address}/32 dev uplink`,
    );
    const restarted = newDriver();
    expect(await restarted.list()).toMatchObject([{ address: IPV4.address, announcing: false }]);
    expect(await ruleset()).not.toContain('203.0.113.77');
    expect(await addresses()).not.toContain('203.0.113.78');
    await restarted.attach(IPV4);
    expect(await restarted.list()).toMatchObject([{ address: IPV4.address, announcing: true }]);
  });

  test('makes its change although somebody has emptied the packet filter meanwhile', async () => {
    await driver.attach(IPV4);
    await nft('flush', 'ruleset');
    await driver.attach(attachment('203.0.113.8', 3));
    expect(await driver.list()).toMatchObject([{ address: '203.0.113.8', announcing: true }]);
    await driver.attach(IPV4);
    expect(await newDriver().list()).toHaveLength(2);
  });

  test('tells the neighbours at once', async () => {
    await bed.router.ip(
      ...[IPV4, IPV6].map(({ address }) => `neigh replace ${address} lladdr 02:00:00:00:00:01 dev public nud stale`),
    );
    await driver.attach(IPV4);
    await driver.attach(IPV6);
    const link = await host.namespace.run('ip', ['-j', 'link', 'show', 'dev', 'uplink']);
    const [{ address: hardwareAddress } = { address: '' }] = z
      .array(z.object({ address: z.string() }))
      .parse(JSON.parse(link));
    await until('the router has learnt of both', async () => {
      const neighbours = neighboursSchema.parse(
        JSON.parse(await bed.router.run('ip', ['-j', 'neigh', 'show', 'dev', 'public'])),
      );
      return [IPV4, IPV6].every(({ address }) =>
        neighbours.some(({ dst, lladdr }) => dst === address && lladdr === hardwareAddress),
      );
    });
  });

  test('announces nothing after a withdrawal, and for what is attached again', async () => {
    await driver.attach(IPV4);
    await driver.attach(IPV6);
    await driver.withdraw();
    expect((await newDriver().list()).map(({ announcing }) => announcing)).toEqual([false, false]);
    expect(await addresses()).not.toContain(IPV4.address);
    await driver.attach(IPV4);
    expect((await driver.list()).filter(({ announcing }) => announcing)).toMatchObject([{ address: IPV4.address }]);
  });

  test('withdraws the rest when some of it has gone by itself', async () => {
    await driver.attach(IPV4);
    await driver.attach(IPV6);
    await driver.attach(attachment('203.0.113.8', 3));
    await host.namespace.ip(`address del ${IPV4.address}/32 dev uplink`);
    await driver.withdraw();
    expect((await newDriver().list()).map(({ announcing }) => announcing)).toEqual([false, false, false]);
  });

  test('tells when the carrier goes and comes, and whether anybody is behind it', async () => {
    const seen: boolean[] = [];
    const stopping = new AbortController();
    const watching = driver.watch((carrier) => seen.push(carrier), stopping.signal);
    await host.cut();
    await until('the loss was reported', async () => seen.length === 1);
    expect(await driver.isCutOff()).toBe(true);
    await host.repair();
    await until('the return was reported', async () => seen.length === 2);
    expect(seen).toEqual([false, true]);
    expect(await driver.isCutOff()).toBe(false);
    stopping.abort();
    await watching;

    await host.block();
    expect(await driver.isCutOff()).toBe(true);
    await host.unblock();
    expect(await driver.isCutOff()).toBe(false);
  });

  test('says so when the host does not forward packets', async () => {
    await host.namespace.run('sysctl', ['-q', '-w', 'net.ipv4.ip_forward=0']);
    await expect(newDriver().list()).rejects.toThrow('net.ipv4.ip_forward must be 1');
    await host.namespace.run('sysctl', ['-q', '-w', 'net.ipv4.ip_forward=1']);
  });

  test('attaches and detaches a thousand addresses, in one transaction each', async () => {
    const many = Array.from({ length: 1_000 }, (_, index) => ({
      ...attachment(`198.18.${index >> 8}.${index & 255}`),
      anchor: canonical(`10.18.${index >> 8}.${index & 255}`),
    }));
    const started = performance.now();
    await Promise.all(many.map((one) => driver.attach(one)));
    expect(performance.now() - started).toBeLessThan(5_000);
    expect(await newDriver().list()).toHaveLength(1_000);
    await Promise.all(many.map(({ address }) => driver.detach(address)));
    expect(await newDriver().list()).toEqual([]);
  });
});
