import { createRoute, z } from '@hono/zod-openapi';
import { findAccount } from '../../../db/accounts.ts';
import type { ApiApp, ApiDependencies } from '../../context.ts';
import { notFound } from '../../errors.ts';
import { presentAccount } from '../../presenters/account.ts';
import { accountSchema } from '../../schemas/account.ts';
import { errorsOfEvery, jsonAnswer } from '../../schemas/responses.ts';
import { secured } from '../secured.ts';

const route = createRoute({
  method: 'get',
  path: '/v2/account',
  operationId: 'account_get',
  summary: 'Show the account and its limits',
  tags: ['Account'],
  ...secured('account:read'),
  responses: { 200: jsonAnswer('The account.', z.object({ account: accountSchema })), ...errorsOfEvery },
});

/** GET /v2/account */
export function registerAccountRoutes(app: ApiApp, { db }: ApiDependencies): void {
  app.openapi(route, async (c) => {
    const account = await findAccount(db, c.var.caller.accountId);
    if (!account) throw notFound();
    return c.json({ account: presentAccount(account) }, 200);
  });
}
