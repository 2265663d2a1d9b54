import { expect, inject, test } from 'vitest';
import { leadThroughLife } from '../clients/dots-wrapper-life.ts';
import { setFlags, useFlagFile, useGateway } from '../support/gateway.ts';
import { useWorld } from '../support/world.ts';

test('dots-wrapper leads an address through its whole life over the gateway, half of it on each upstream', async () => {
  const world = await useWorld({ agents: 2 });
  const { id, http } = await world.account();
  const flagFile = await useFlagFile();
  for (const path of ['list', 'create_for_droplet', 'assign', 'show_action']) {
    await setFlags(flagFile, path, { allow: [String(id)] });
  }
  const { apiUrl, secondApiUrl } = inject('environment');
  const gateway = await useGateway({ legacyUrl: secondApiUrl, apiUrl, flagFile });

  await leadThroughLife(world, gateway.url, http.token ?? '');

  const sent = async (operation: string, upstream: string) =>
    gateway.metric('edge_requests_total', { code_path: `floating_ips.${operation}`, upstream });
  expect([await sent('assign', 'new'), await sent('assign', 'legacy')]).toEqual([2, 0]);
  expect([await sent('unassign', 'new'), await sent('unassign', 'legacy')]).toEqual([0, 1]);
  expect(await sent('create_in_region', 'legacy')).toBe(1);
  expect(await sent('create_for_droplet', 'new')).toBe(1);
  expect(await gateway.metric('edge_upstream_failures_total')).toBe(0);
});
