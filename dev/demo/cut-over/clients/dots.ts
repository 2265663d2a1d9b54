import { createDots, type DotsAddress } from '../../../kit/dots-client.ts';
import type { AddressClient, ReserveTarget, ResourceName } from './address-client.ts';

/** `@digitalocean/dots` as it is on npm, under one of the two names. */
export function openDots(baseUrl: string, token: string, resourceName: ResourceName): AddressClient {
  const { v2 } = createDots(baseUrl, token);
  const one = (ip: string) =>
    resourceName === 'reserved_ips' ? v2.reserved_ips.byReserved_ip(ip) : v2.floating_ips.byFloating_ip(ip);
  const actionsOf = (ip: string) => one(ip).actions;

  async function list(): Promise<DotsAddress[]> {
    if (resourceName === 'reserved_ips') return (await v2.reserved_ips.get()).reservedIps;
    return (await v2.floating_ips.get()).floatingIps;
  }
  async function show(ip: string): Promise<DotsAddress> {
    if (resourceName === 'reserved_ips') return (await v2.reserved_ips.byReserved_ip(ip).get()).reservedIp;
    return (await v2.floating_ips.byFloating_ip(ip).get()).floatingIp;
  }
  async function reserve(target: ReserveTarget) {
    if (resourceName === 'reserved_ips') {
      const { reservedIp, links } = await v2.reserved_ips.post(target);
      return { address: reservedIp, links };
    }
    const { floatingIp, links } = await v2.floating_ips.post(target);
    return { address: floatingIp, links };
  }

  return {
    list: async () => (await list()).map(seen),
    show: async (ip) => seen(await show(ip)),
    async reserve(target) {
      const { address, links } = await reserve(target);
      return { ip: address.ip, actionId: links.actions?.[0]?.id ?? null };
    },
    assign: async (ip, dropletId) => (await actionsOf(ip).post({ type: 'assign', dropletId })).action.id,
    unassign: async (ip) => (await actionsOf(ip).post({ type: 'unassign' })).action.id,
    release: (ip) => one(ip).delete(),
    listActions: async (ip) => (await actionsOf(ip).get()).actions.map(({ type }) => type),
    showAction: async (ip, actionId) => (await actionsOf(ip).byAction_id(actionId).get()).action.status,
  };
}

function seen({ ip, droplet }: DotsAddress) {
  return { ip, dropletId: droplet.id ?? null };
}
