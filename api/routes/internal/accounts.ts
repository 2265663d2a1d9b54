import { createRoute, z } from '@hono/zod-openapi';
import {
  addToken,
  changeAccountLimits,
  createAccount,
  listAccounts,
  type ProvisionedAccount,
  revokeToken,
} from '../../../db/account-provisioning.ts';
import { recorded } from '../../../db/audit-log.ts';
import type { ApiApp, ApiDependencies } from '../../context.ts';
import { notFound } from '../../errors.ts';
import { newToken } from './new-token.ts';
import { operatorEntry } from './operator-entry.ts';
import { internal, jsonAnswer, jsonBody } from './route.ts';

const limit = z.int().min(0).max(1_000_000);
const percent = z.int().min(0).max(100);
const share = (what: string) =>
  percent.nullable().openapi({ description: `${what}; null when the setting of the installation applies.` });
const poolShares = {
  pool_share_held_percent: share(
    'Share of the addresses of a region that it may hold, in percent, with those in quarantine',
  ),
  pool_share_per_hour_percent: share(
    'Share of the addresses of a region that it may release within an hour, in percent',
  ),
};
const rate = z.int().min(1).max(1_000_000_000);
const id = z.coerce.number().int().positive();
const accountSchema = z
  .object({
    id: z.int(),
    uuid: z.uuid(),
    name: z.string(),
    email: z.string(),
    reserved_ip_limit: z.int(),
    droplet_limit: z.int(),
    ...poolShares,
    created_at: z.iso.datetime(),
  })
  .openapi('InternalAccount');
const accountAnswerSchema = z.object({ account: accountSchema });

const createAccountRoute = createRoute({
  method: 'post',
  path: '/internal/v1/accounts',
  summary: 'Create an account',
  ...internal,
  request: jsonBody(
    z.object({
      name: z.string().trim().min(1).max(255),
      email: z.email().max(255),
      reserved_ip_limit: limit.default(3),
      droplet_limit: limit.default(25),
    }),
  ),
  responses: { 201: jsonAnswer('The account.', accountAnswerSchema) },
});

const listAccountsRoute = createRoute({
  method: 'get',
  path: '/internal/v1/accounts',
  summary: 'List all accounts',
  ...internal,
  responses: { 200: jsonAnswer('Oldest first.', z.object({ accounts: z.array(accountSchema) })) },
});

const changeAccountRoute = createRoute({
  method: 'patch',
  path: '/internal/v1/accounts/{id}',
  summary: "Change an account's limits",
  ...internal,
  request: {
    params: z.object({ id }),
    ...jsonBody(z.object({ reserved_ip_limit: limit, droplet_limit: limit, ...poolShares }).partial()),
  },
  responses: { 200: jsonAnswer('The account.', accountAnswerSchema) },
});

const createTokenRoute = createRoute({
  method: 'post',
  path: '/internal/v1/accounts/{id}/tokens',
  summary: 'Create a token for an account; it is shown only once',
  ...internal,
  request: {
    params: z.object({ id }),
    ...jsonBody(
      z.object({
        name: z.string().trim().min(1).max(255),
        scopes: z
          .array(z.string().regex(/^\S{1,64}$/))
          .min(1)
          .max(15)
          .default(['*']),
        requests_per_minute: rate.default(250),
        requests_per_hour: rate.default(5_000),
      }),
    ),
  },
  responses: { 201: jsonAnswer('The token.', z.object({ id: z.int(), token: z.string() })) },
});

const revokeTokenRoute = createRoute({
  method: 'delete',
  path: '/internal/v1/accounts/{id}/tokens/{tokenId}',
  summary: 'Revoke a token',
  ...internal,
  request: { params: z.object({ id, tokenId: id }) },
  responses: { 204: { description: 'Revoked; repeating it changes nothing.' } },
});

/** Accounts, their limits and their tokens. */
export function registerAccountAdministration(app: ApiApp, { db }: ApiDependencies): void {
  app.openapi(createAccountRoute, async (c) => {
    const { name, email, reserved_ip_limit: reservedIpLimit, droplet_limit: dropletLimit } = c.req.valid('json');
    const account = await recorded(
      db,
      (tx) => createAccount(tx, { name, email, reservedIpLimit, dropletLimit }),
      ({ id: accountId }) => operatorEntry(c, 'create account', `account ${accountId}`, { accountId }),
    );
    return c.json({ account: presentAccount(account) }, 201);
  });

  app.openapi(listAccountsRoute, async (c) => {
    return c.json({ accounts: (await listAccounts(db)).map(presentAccount) }, 200);
  });

  app.openapi(changeAccountRoute, async (c) => {
    const body = c.req.valid('json');
    const accountId = c.req.valid('param').id;
    const changes = {
      reservedIpLimit: body.reserved_ip_limit,
      dropletLimit: body.droplet_limit,
      heldPercent: body.pool_share_held_percent,
      perHourPercent: body.pool_share_per_hour_percent,
    };
    const limits = [
      `reserved IPs ${changes.reservedIpLimit ?? 'as they were'}`,
      `Droplets ${changes.dropletLimit ?? 'as they were'}`,
      ...sharesIn(body),
    ].join(', ');
    const account = await recorded(
      db,
      (tx) => changeAccountLimits(tx, accountId, changes),
      (changed) => changed && operatorEntry(c, 'change limits', `account ${accountId}`, { accountId, detail: limits }),
    );
    if (!account) throw notFound();
    return c.json({ account: presentAccount(account) }, 200);
  });

  app.openapi(createTokenRoute, async (c) => {
    const body = c.req.valid('json');
    const { token, hash } = newToken('customer');
    const accountId = c.req.valid('param').id;
    const wanted = {
      accountId,
      name: body.name,
      hash,
      scopes: body.scopes,
      requestsPerMinute: body.requests_per_minute,
      requestsPerHour: body.requests_per_hour,
    };
    const tokenId = await recorded(
      db,
      (tx) => addToken(tx, wanted),
      (added) =>
        added === null
          ? null
          : operatorEntry(c, 'create token', `token ${added}`, { accountId, detail: body.scopes.join(' ') }),
    );
    if (tokenId === null) throw notFound();
    return c.json({ id: tokenId, token }, 201);
  });

  app.openapi(revokeTokenRoute, async (c) => {
    const { id: accountId, tokenId } = c.req.valid('param');
    const revoked = await recorded(
      db,
      (tx) => revokeToken(tx, accountId, tokenId),
      (done) => (done ? operatorEntry(c, 'revoke token', `token ${tokenId}`, { accountId }) : null),
    );
    if (!revoked) throw notFound();
    return c.body(null, 204);
  });
}

interface SharesInBody {
  pool_share_held_percent?: number | null | undefined;
  pool_share_per_hour_percent?: number | null | undefined;
}

function sharesIn({ pool_share_held_percent: held, pool_share_per_hour_percent: perHour }: SharesInBody): string[] {
  const words = (what: string, percent: number | null) => `${what} ${percent === null ? 'as for all' : `${percent} %`}`;
  return [
    ...(held === undefined ? [] : [words('pool share held', held)]),
    ...(perHour === undefined ? [] : [words('pool share per hour', perHour)]),
  ];
}

function presentAccount(account: ProvisionedAccount) {
  return {
    id: account.id,
    uuid: account.uuid,
    name: account.name,
    email: account.email,
    reserved_ip_limit: account.reservedIpLimit,
    droplet_limit: account.dropletLimit,
    pool_share_held_percent: account.poolShare.heldPercent,
    pool_share_per_hour_percent: account.poolShare.perHourPercent,
    created_at: account.createdAt.toISOString(),
  };
}
