import { createRoute, z } from '@hono/zod-openapi';
import { listAccountTokens, listTokensOfHost } from '../../../db/token-lists.ts';
import type { ApiApp, ApiDependencies } from '../../context.ts';
import { notFound } from '../../errors.ts';
import { internal, jsonAnswer } from './route.ts';
import { lastUseFields, presentLastUse } from './token-use.ts';

const accountTokensRoute = createRoute({
  method: 'get',
  path: '/internal/v1/accounts/{id}/tokens',
  summary: "List an account's tokens and when they were used last",
  ...internal,
  request: { params: z.object({ id: z.coerce.number().int().positive() }) },
  responses: {
    200: jsonAnswer(
      'Oldest first.',
      z.object({
        tokens: z.array(z.object({ id: z.int(), name: z.string(), scopes: z.array(z.string()), ...lastUseFields })),
      }),
    ),
  },
});

const hostTokensRoute = createRoute({
  method: 'get',
  path: '/internal/v1/hosts/{name}/tokens',
  summary: "List a host's tokens and when they were used last",
  ...internal,
  request: { params: z.object({ name: z.string() }) },
  responses: {
    200: jsonAnswer('Oldest first.', z.object({ tokens: z.array(z.object({ id: z.int(), ...lastUseFields })) })),
  },
});

/** Who has tokens, and when and from where each was used last. */
export function registerTokenLists(app: ApiApp, { db }: ApiDependencies): void {
  app.openapi(accountTokensRoute, async (c) => {
    const tokens = await listAccountTokens(db, c.req.valid('param').id);
    if (!tokens) throw notFound();
    const presented = tokens.map((token) => {
      const { id, name, scopes } = token;
      return { id, name, scopes, ...presentLastUse(token) };
    });
    return c.json({ tokens: presented }, 200);
  });

  app.openapi(hostTokensRoute, async (c) => {
    const tokens = await listTokensOfHost(db, c.req.valid('param').name);
    if (!tokens) throw notFound();
    return c.json({ tokens: tokens.map((token) => ({ id: token.id, ...presentLastUse(token) })) }, 200);
  });
}
