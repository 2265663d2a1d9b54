import type { HonoRequest } from 'hono';
import type { Page, PageRequest } from '../../db/pages.ts';
import type { ActionLinkBody, PageLinksBody } from '../schemas/common.ts';
import type { PageQuery } from '../schemas/fields.ts';

const HOST = /^[\w.-]+(:\d{1,5})?$|^\[[\da-f:.]+\](:\d{1,5})?$/i;

function firstOf(header: string | undefined): string {
  return header?.split(',')[0]?.trim() ?? '';
}

/** Where the client reached this API, seen from the client: a proxy in between says so in X-Forwarded-Proto and -Host. */
export function originOf(request: HonoRequest): string {
  const { protocol, host } = new URL(request.url);
  const forwardedProtocol = firstOf(request.header('x-forwarded-proto')).toLowerCase();
  const forwardedHost = firstOf(request.header('x-forwarded-host'));
  const scheme = ['http', 'https'].includes(forwardedProtocol) ? forwardedProtocol : protocol.slice(0, -1);
  return `${scheme}://${HOST.test(forwardedHost) ? forwardedHost : host}`;
}

/** A link to the action that a request has set off. */
export function actionLink(request: HonoRequest, actionId: number, rel: string): ActionLinkBody {
  return { id: actionId, rel, href: `${originOf(request)}/v2/actions/${actionId}` };
}

/** A link to a droplet. */
export function dropletLink(request: HonoRequest, dropletId: number): ActionLinkBody {
  return { id: dropletId, rel: 'droplet', href: `${originOf(request)}/v2/droplets/${dropletId}` };
}

/** The page that a list's query asks for. */
export function pageRequest({ page, per_page }: PageQuery): PageRequest {
  return { page, perPage: per_page };
}

/** `links` and `meta` of a list: empty links on a single page, no way back from the first, none on from the last. */
export function presentPage(
  request: HonoRequest,
  { page, perPage }: PageRequest,
  { total }: Page<unknown>,
): { links: PageLinksBody; meta: { total: number } } {
  const last = Math.max(1, Math.ceil(total / perPage));
  const link = (number: number) => {
    const url = new URL(request.path + new URL(request.url).search, originOf(request));
    url.searchParams.set('page', String(number));
    return url.href;
  };
  const pages = {
    ...(page > 1 && { first: link(1), prev: link(Math.min(page - 1, last)) }),
    ...(page < last && { next: link(page + 1), last: link(last) }),
  };
  return { links: Object.keys(pages).length === 0 ? {} : { pages }, meta: { total } };
}
