import { describe, expect, inject, test } from 'vitest';
import type { Account } from '../../dev/kit/account.ts';
import { ManualHost } from '../../dev/kit/manual-host.ts';
import { until } from '../../dev/kit/until.ts';
import { useLink } from '../support/link.ts';
import { startAgentProcess } from '../support/processes.ts';
import type { Program } from '../support/program.ts';
import { useWorld, type World } from '../support/world.ts';

/** What docs/running.md says: at most 5 s. */
const AT_MOST_MS = 5_000;
const CHANGES = 4;

/** A world with one host, which has no agent yet, and addresses to assign. */
async function useHost(): Promise<{
  world: World;
  account: Account;
  host: { name: string; token: string };
  dropletIds: number[];
  ips: string[];
}> {
  const world = await useWorld({ agents: 0 });
  const name = `${world.region}-host`;
  const host = { name, token: await world.registerHost(name) };
  const account = await world.account();
  const dropletIds = await world.droplets(account, CHANGES);
  const ips = await Promise.all(dropletIds.map(() => account.reserve(world.region)));
  return { world, account, host, dropletIds, ips };
}

/** How many changes it has taken. */
function inHand(agent: Program): number {
  return agent.output.split('"msg":"taken"').length - 1;
}

async function stop(agent: Program): Promise<{ code: number | null; stoppedAfter: number }> {
  const signalledAt = performance.now();
  agent.signal('SIGTERM');
  const { code } = await agent.ended();
  return { code, stoppedAfter: performance.now() - signalledAt };
}

describe('an agent that is asked to stop', () => {
  test('ends the changes in hand, and its acknowledgments are delivered', async () => {
    const { account, host, dropletIds, ips } = await useHost();
    const agent = startAgentProcess({ ...host, apiUrl: inject('environment').apiUrl }, ['--delay-ms', '1000']);
    await until('the agent is there', async () => agent.output.includes('comparing with the desired state'));
    const actions = await Promise.all(ips.map((ip, index) => account.startAssign(ip, dropletIds[index] ?? 0)));
    await until('the changes are in hand', async () => inHand(agent) === CHANGES);

    const { code, stoppedAfter } = await stop(agent);

    console.log(`agent with changes in hand: stopped after ${Math.round(stoppedAfter)} ms`);
    expect(code).toBe(0);
    expect(stoppedAfter).toBeLessThan(AT_MOST_MS);
    for (const action of actions) expect(await account.ended(action)).toMatchObject({ status: 'completed' });
  });

  test('leaves to the next one what it cannot end in its time', async () => {
    const { account, host, dropletIds, ips } = await useHost();
    const link = await useLink(new URL(inject('environment').apiUrl).host);
    const agent = startAgentProcess({ ...host, apiUrl: `http://${link.address}` }, ['--delay-ms', '500']);
    await until('the agent is there', async () => agent.output.includes('comparing with the desired state'));
    await Promise.all(ips.map((ip, index) => account.assign(ip, dropletIds[index] ?? 0)));
    // What is given back waits for its host for as long as it takes.
    await Promise.all(ips.map((ip) => account.release(ip)));
    await until('the changes are in hand', async () => inHand(agent) === 2 * CHANGES);
    link.become('silent');

    const { code, stoppedAfter } = await stop(agent);

    console.log(`agent whose control plane is silent: stopped after ${Math.round(stoppedAfter)} ms`);
    expect(code).toBe(0);
    expect(stoppedAfter).toBeLessThan(AT_MOST_MS);
    const asHost = new ManualHost(host.name, inject('environment').apiUrl, host.token);
    const open = await asHost.openCommands();
    expect(open.length, 'what it could not acknowledge is open still').toBeGreaterThan(0);
    startAgentProcess({ ...host, apiUrl: inject('environment').apiUrl });
    await until('the next agent has answered for all', async () => (await asHost.openCommands()).length === 0);
  });
});
