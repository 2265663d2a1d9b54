import { createApiClient } from 'dots-wrapper';
import { z } from 'zod';
import type { AddressClient } from './address-client.ts';

/** The library does not describe the links of its answers, but has them. */
const linkedSchema = z.object({ links: z.object({ actions: z.tuple([z.object({ id: z.int() })]) }) });

/** `dots-wrapper` as it is on npm. It knows floating IPs only. */
export function openDotsWrapper(baseUrl: string, token: string): AddressClient {
  const { floatingIp } = createApiClient({ token, endpoint: `${baseUrl}/v2` });
  return {
    async list() {
      const { data } = await floatingIp.listFloatingIps({});
      return data.floating_ips.map(({ ip, droplet }) => ({ ip, dropletId: droplet?.id ?? null }));
    },
    async show(address) {
      const { ip, droplet } = (await floatingIp.getFloatingIp({ ip: address })).data.floating_ip;
      return { ip, dropletId: droplet?.id ?? null };
    },
    async reserve(target) {
      if ('region' in target) {
        const { data } = await floatingIp.createFloatingIp({ region: target.region });
        return { ip: data.floating_ip.ip, actionId: null };
      }
      const { data } = await floatingIp.createFloatingIp({ droplet_id: target.dropletId });
      return { ip: data.floating_ip.ip, actionId: linkedSchema.parse(data).links.actions[0].id };
    },
    assign: async (ip, dropletId) => (await floatingIp.assignIpToDroplet({ ip, droplet_id: dropletId })).data.action.id,
    unassign: async (ip) => (await floatingIp.unassignIpFromDroplet({ ip })).data.action.id,
    async release(ip) {
      await floatingIp.deleteFloatingIp({ ip });
    },
    listActions: async (ip) => (await floatingIp.listFloatingIpActions({ ip })).data.actions.map(({ type }) => type),
    showAction: async (ip, actionId) =>
      (await floatingIp.getFloatingIpAction({ ip, action_id: actionId })).data.action.status,
  };
}
