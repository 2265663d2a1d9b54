import { beforeEach, describe, expect, inject, test } from 'vitest';
import { readAction, readAddress } from '../../dev/kit/account.ts';
import { useLegacy } from '../support/legacy.ts';
import { useWorld, type World } from '../support/world.ts';

/** Tries at the most until two requests meet; on the new upstream all of them are made. */
const ROUNDS = { legacy: 100, new: 20 };

describe.each(['legacy', 'new'] as const)('two requests at once, on the %s upstream', (upstream) => {
  let world: World;
  let url: string;
  beforeEach(async () => {
    world = await useWorld({ agents: 2 });
    url = upstream === 'legacy' ? await useLegacy() : inject('environment').secondApiUrl;
  });

  test(`that move one address ${upstream === 'legacy' ? 'put it on two hosts' : 'are decided for one of them'}`, async () => {
    const here = await world.account();
    const account = here.at(url);
    const droplets = await world.droplets(here, 2);
    let moved = 0;
    for (let round = 0; round < ROUNDS[upstream] && moved === 0; round++) {
      const ip = await account.reserve(world.region);
      const answers = await Promise.all(droplets.map((droplet) => account.requestAssign(ip, droplet)));
      const accepted = answers.filter(({ status }) => status === 201).map(readAction);
      for (const action of accepted) await here.completed(action);
      const hosts = world.agents.filter(({ driver }) => driver.attachments.has(ip));
      if (accepted.length === 2) {
        expect(hosts).toHaveLength(2);
        moved++;
        continue;
      }
      expect(accepted).toHaveLength(1);
      expect(hosts).toHaveLength(1);
      await here.release(ip);
    }
    expect(moved).toBe(upstream === 'legacy' ? 1 : 0);
  });

  test(`of two customers ${upstream === 'legacy' ? 'get the same address' : 'get an address each'}`, async () => {
    const accounts = await Promise.all([world.account(), world.account()]);
    const customers = accounts.map((account) => account.at(url));
    let shared = 0;
    for (let round = 0; round < ROUNDS[upstream] && shared === 0; round++) {
      const answers = await Promise.all(
        customers.map(({ http }) => http.post('/v2/reserved_ips', { region: world.region })),
      );
      const given = answers.filter(({ status }) => status === 202).map(readAddress);
      if (given.length === 2 && new Set(given).size === 1) shared++;
      if (upstream === 'new') expect(new Set(given).size).toBe(2);
    }
    expect(shared).toBe(upstream === 'legacy' ? 1 : 0);
  });

  test(`of one customer ${upstream === 'legacy' ? 'pass' : 'keep to'} the limit`, async () => {
    let passed = 0;
    for (let round = 0; round < ROUNDS[upstream] && passed === 0; round++) {
      const account = (await world.account({ reservedIpLimit: 1 })).at(url);
      const answers = await Promise.all(
        [1, 2].map(() => account.http.post('/v2/reserved_ips', { region: world.region })),
      );
      if (answers.every(({ status }) => status === 202)) passed++;
      else expect(answers.map(({ status }) => status).sort()).toEqual([202, 422]);
    }
    expect(passed).toBe(upstream === 'legacy' ? 1 : 0);
  });
});
