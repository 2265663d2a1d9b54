import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../../dev/kit/until.ts';
import { CAN_HAVE_BEDS, createKnownBed, type KnownBed } from '../support/bed.ts';
import { readHostNetwork } from '../support/host-network.ts';

describe.skipIf(!CAN_HAVE_BEDS)('a host that is cut off', () => {
  let bed: KnownBed;
  beforeAll(async () => {
    bed = await createKnownBed();
    for (const host of bed.registered) bed.startAgent(host);
  });
  afterAll(() => bed?.close());

  async function nameAt(address: string): Promise<string | null> {
    const answer = await bed.client.run('curl', ['-sS', '-m', '1', `http://${address}/`]).catch(() => null);
    return answer === null ? null : JSON.parse(answer).name;
  }

  function placed() {
    const [former, later] = bed.droplets;
    if (!former || !later) throw new Error('the bed has too few droplets');
    return { former, later };
  }

  test('stops announcing at once, and answers again for what is still its own when it is back', async () => {
    const { former } = placed();
    const address = await bed.account.reserve(bed.region);
    await bed.account.assign(address, former.id);
    await former.host.cut();
    await until('the host announces nothing', async () => {
      return (await readHostNetwork(former.host)).announcing.length === 0;
    });
    await former.host.repair();
    await until(`${former.name} answers again`, async () => (await nameAt(address)) === former.name);
    await bed.account.unassign(address);
  });

  test('never answers again for an address that has moved meanwhile', async () => {
    const { former, later } = placed();
    const address = await bed.account.reserve(bed.region);
    await bed.account.assign(address, former.id);
    await former.host.cut();
    await until('the host announces nothing', async () => {
      return (await readHostNetwork(former.host)).announcing.length === 0;
    });
    await bed.account.assign(address, later.id);
    expect(await nameAt(address)).toBe(later.name);
    await former.host.repair();
    // The router asks anew who has the address, over and over, while the host that is back makes up its mind.
    await until('the host has dropped what is not its own', async () => {
      await bed.router.ip('neigh flush dev public');
      expect(await nameAt(address)).toBe(later.name);
      return (await readHostNetwork(former.host)).inbound.length === 0;
    });
    expect(await nameAt(address)).toBe(later.name);
    await bed.account.unassign(address);
  });

  test('stops announcing also when its carrier is there, and nobody behind it', async () => {
    const { former } = placed();
    const [registered] = bed.registered;
    if (!registered) throw new Error('the bed has no host');
    const address = await bed.account.reserve(bed.region);
    await bed.account.assign(address, former.id);

    await former.host.block();
    // A new agent notices with its first request; one that waits for events would only when its poll is over.
    await former.host.killAgent();
    bed.startAgent(registered);
    await until(
      'the host announces nothing',
      async () => (await readHostNetwork(former.host)).announcing.length === 0,
      40_000,
    );

    await former.host.unblock();
    await until(`${former.name} answers again`, async () => (await nameAt(address)) === former.name, 40_000);
    await bed.account.unassign(address);
  });

  test('that only loses the control plane goes on announcing', async () => {
    const { former } = placed();
    const address = await bed.account.reserve(bed.region);
    await bed.account.assign(address, former.id);
    const [registered] = bed.registered;
    if (!registered) throw new Error('the bed has no host');
    const lost = async () => {
      const log = await readFile(`${bed.folder}/host-1.log`, 'utf8');
      return log.split('contact with the control plane is lost').length - 1;
    };
    const before = await lost();

    await bed.router.ip('link set control down');
    // A new agent notices at once; one that waits for events would only when its poll is over.
    await former.host.killAgent();
    bed.startAgent(registered);
    await until('the agent has noticed', async () => (await lost()) > before + 1, 40_000);
    expect(await nameAt(address)).toBe(former.name);
    expect((await readHostNetwork(former.host)).announcing).toEqual([address]);

    await bed.router.ip('link set control up');
    await bed.account.unassign(address);
  });

  test('drops what has moved when its agent was dead all the time', async () => {
    const { former, later } = placed();
    const address = await bed.account.reserve(bed.region);
    await bed.account.assign(address, former.id);
    // The router knows the address from now on, and takes the announcement of the new host for it.
    expect(await nameAt(address)).toBe(former.name);
    const [registered] = bed.registered;
    if (!registered) throw new Error('the bed has no host');
    await former.host.killAgent();
    await bed.account.assign(address, later.id);
    expect(await nameAt(address)).toBe(later.name);
    bed.startAgent(registered);
    await until('the host has dropped the address', async () => {
      return (await readHostNetwork(former.host)).inbound.length === 0;
    });
    expect(await nameAt(address)).toBe(later.name);
    await bed.account.unassign(address);
  });
});
