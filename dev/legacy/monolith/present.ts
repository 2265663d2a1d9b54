import { presentRegion } from '../../../api/presenters/region.ts';
import { type LegacyContext, type ResourceName, singular } from './context.ts';
import type { InnerServices } from './inner-services.ts';
import type { Paging } from './request.ts';
import type { ActionRow, AddressRow } from './rows.ts';

/*
 * What customers read. The droplet of an address comes from the inventory, one request for each.
 */

/** An address in an answer. */
export async function presentAddress(services: InnerServices, row: AddressRow) {
  const { accountId, dropletId } = row;
  return {
    ip: row.ip,
    region: presentRegion(row.region),
    droplet: dropletId === null ? null : await services.droplet(accountId, dropletId),
    locked: row.pendingActionId !== null,
    project_id: row.projectId,
  };
}

/** An action in an answer, as seen below an address of the resource name. */
export function presentAction(action: ActionRow, resourceName: ResourceName) {
  return {
    id: action.id,
    status: action.status,
    type: action.type,
    started_at: presentTime(action.startedAt),
    completed_at: action.completedAt && presentTime(action.completedAt),
    resource_id: action.bytes.readUInt32BE(0),
    resource_type: singular(resourceName),
    region: presentRegion(action.region),
    region_slug: action.region.slug,
  };
}

/** Where to look at what a request has set off. */
export function presentLink(c: LegacyContext, rel: string, path: string, id: number) {
  return { id, rel, href: `${origin(c)}/v2/${path}/${id}` };
}

/** `links` and `meta` of a list. */
export function presentPaging(c: LegacyContext, { page, perPage }: Paging, total: number) {
  const last = Math.max(1, Math.ceil(total / perPage));
  const to = (number: number) => {
    const url = new URL(c.req.path, origin(c));
    url.search = new URL(c.req.url).search;
    url.searchParams.set('page', String(number));
    return url.href;
  };
  const back = page > 1 ? { first: to(1), prev: to(Math.min(page - 1, last)) } : {};
  const on = page < last ? { next: to(page + 1), last: to(last) } : {};
  const pages = { ...back, ...on };
  return { links: Object.keys(pages).length === 0 ? {} : { pages }, meta: { total } };
}

function presentTime(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`;
}

/** The gateway says how the client has called it. */
function origin(c: LegacyContext): string {
  const url = new URL(c.req.url);
  const protocol = c.req.header('x-forwarded-proto') ?? '';
  const host = c.req.header('x-forwarded-host') ?? '';
  return `${/^https?$/.test(protocol) ? protocol : 'http'}://${/^[\w.:-]+$/.test(host) ? host : url.host}`;
}
