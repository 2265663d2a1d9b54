import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { until } from '../../dev/kit/until.ts';
import { CAN_HAVE_BEDS, createKnownBed, type KnownBed } from '../support/bed.ts';

const answerSchema = z.object({ name: z.string(), client: z.string() });

describe.skipIf(!CAN_HAVE_BEDS)('traffic of reserved addresses', () => {
  let bed: KnownBed;
  beforeAll(async () => {
    bed = await createKnownBed({ dropletsPerHost: 2 });
    for (const host of bed.registered) bed.startAgent(host);
  });
  afterAll(() => bed?.close());

  /** What answers at an address, seen from the client; null when nobody does. */
  async function ask(address: string) {
    const url = `http://${address.includes(':') ? `[${address}]` : address}/`;
    const text = await bed.client.run('curl', ['-sS', '-m', '1', url]).catch(() => null);
    return text === null ? null : answerSchema.parse(JSON.parse(text));
  }

  const ipVersions = [
    { ipVersion: 'IPv4', reserve: () => reserveIpv4(), path: '/v2/reserved_ips', own: () => bed.clientAddresses.ipv4 },
    { ipVersion: 'IPv6', reserve: () => reserveIpv6(), path: '/v2/reserved_ipv6', own: () => bed.clientAddresses.ipv6 },
  ];

  function reserveIpv4(): Promise<string> {
    return bed.account.reserve(bed.region);
  }

  async function reserveIpv6(): Promise<string> {
    const answer = await bed.account.http.post('/v2/reserved_ipv6', { region_slug: bed.region });
    return z.object({ reserved_ipv6: z.object({ ip: z.string() }) }).parse(answer.body).reserved_ipv6.ip;
  }

  test('comes back by itself when somebody has emptied the packet filter or the uplink', async () => {
    const [droplet] = bed.droplets;
    const [registered] = bed.registered;
    if (!droplet || !registered) throw new Error('the bed has too few droplets');
    const address = await bed.account.reserve(bed.region);
    await bed.account.assign(address, droplet.id);
    await droplet.host.killAgent();
    registered.host.startAgent({ ...registered, apiUrl: bed.bedApiUrl, reconcileSeconds: 1 });

    await droplet.host.namespace.run('nft', ['flush', 'ruleset']);
    await until('the address is answered again', async () => (await ask(address))?.name === droplet.name);
    // The repaired translation answers neighbours that still know the host a moment before the uplink has the address.
    await until('the address is on the uplink again', () =>
      droplet.host.namespace.ip(`address del ${address}/32 dev uplink`).then(
        () => true,
        () => false,
      ),
    );
    await until('the address is answered once more', async () => (await ask(address))?.name === droplet.name);
    await bed.account.unassign(address);
  });

  describe.each(ipVersions)('$ipVersion', ({ reserve, path, own }) => {
    async function act(address: string, body: { type: string; droplet_id?: number }): Promise<void> {
      const answer = await bed.account.http.post(`${path}/${address}/actions`, body);
      const { action } = z.object({ action: z.object({ id: z.int() }) }).parse(answer.body);
      await bed.account.completed(action);
    }

    test('reaches the droplet it is assigned to, through assign, reassign, unassign and release', async () => {
      const [first, second] = bed.droplets;
      if (!first || !second) throw new Error('the bed has too few droplets');
      const address = await reserve();
      expect(await ask(address)).toBeNull();

      await act(address, { type: 'assign', droplet_id: first.id });
      expect(await ask(address)).toEqual({ name: first.name, client: own() });

      await act(address, { type: 'assign', droplet_id: second.id });
      expect(await ask(address)).toEqual({ name: second.name, client: own() });

      await act(address, { type: 'unassign' });
      expect(await ask(address)).toBeNull();

      await act(address, { type: 'assign', droplet_id: second.id });
      expect((await ask(address))?.name).toBe(second.name);
      if (path === '/v2/reserved_ipv6') await act(address, { type: 'unassign' });
      expect((await bed.account.http.delete(`${path}/${address}`)).status).toBe(204);
      await until(`nobody answers at ${address}`, async () => (await ask(address)) === null);
    });

    test('leaves the droplet with the reserved address as its source', async () => {
      const droplet = bed.droplets[2];
      if (!droplet) throw new Error('the bed has too few droplets');
      const address = await reserve();
      await act(address, { type: 'assign', droplet_id: droplet.id });
      const namespace = droplet.host.droplets.find(({ droplet: { id } }) => id === droplet.id)?.namespace;
      const listener = bed.client.spawn(process.execPath, ['dev/testbed/name-server.ts', 'client']);
      try {
        const url = `http://${own().includes(':') ? `[${own()}]` : own()}/`;
        const answer = await until('the droplet reached the client', async () =>
          namespace?.run('curl', ['-sS', '-m', '1', url]).catch(() => null),
        );
        expect(answerSchema.parse(JSON.parse(answer))).toEqual({ name: 'client', client: address });
      } finally {
        listener.kill('SIGKILL');
      }
    });

    test('goes between droplets of one host, each seeing the other by its reserved address', async () => {
      const [host] = bed.hosts;
      const [one, other] = host?.droplets ?? [];
      if (!one || !other) throw new Error('the bed has too few droplets');
      const addresses = [await reserve(), await reserve()];
      for (const [index, { droplet }] of [one, other].entries()) {
        await act(addresses[index] ?? '', { type: 'assign', droplet_id: droplet.id });
      }
      const target = addresses[1] ?? '';
      const url = `http://${target.includes(':') ? `[${target}]` : target}/`;
      const answer = answerSchema.parse(JSON.parse(await one.namespace.run('curl', ['-sS', '-m', '2', url])));
      expect(answer).toEqual({ name: other.droplet.name, client: addresses[0] });
      for (const address of addresses) await act(address, { type: 'unassign' });
    });

    test('ends with the assignment, also on connections that are open', async () => {
      const [host] = bed.hosts;
      const [one, other] = host?.droplets ?? [];
      if (!one || !other) throw new Error('the bed has too few droplets');
      const address = await reserve();
      await act(address, { type: 'assign', droplet_id: one.droplet.id });
      const url = `http://${address.includes(':') ? `[${address}]` : address}/`;
      // One connection, kept open: a second request goes over it after the address has moved to the neighbour.
      const script = `
        const { Agent, get } = require('node:http');
        const agent = new Agent({ keepAlive: true, maxSockets: 1 });
        const ask = () => new Promise((resolve) => get(process.argv[1], { agent, timeout: 3000 }, (answer) => {
          answer.setEncoding('utf8').on('data', (text) => resolve(JSON.parse(text).name));
        }).on('error', (error) => resolve(error.code)));
        ask().then((name) => { console.log(name); process.stdin.once('data', async () => { console.log(await ask()); process.exit(); }); });
      `;
      const { spawn } = await import('node:child_process');
      const client = spawn('nsenter', [`--net=/run/netns/${bed.client.name}`, process.execPath, '-e', script, url]);
      let printed = '';
      client.stdout.setEncoding('utf8').on('data', (text: string) => {
        printed += text;
      });
      await until('the client was answered', async () => printed.includes('\n'));
      await act(address, { type: 'assign', droplet_id: other.droplet.id });
      client.stdin.write('\n');
      await until('the client was answered again', async () => printed.split('\n').length > 2);
      expect(printed.split('\n').slice(0, 2)).toEqual([one.droplet.name, 'ECONNRESET']);
      expect((await ask(address))?.name).toBe(other.droplet.name);
      await act(address, { type: 'unassign' });
    });
  });
});
