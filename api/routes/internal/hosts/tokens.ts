import { createRoute, z } from '@hono/zod-openapi';
import { recorded } from '../../../../db/audit-log.ts';
import { addHostToken, revokeHostTokens } from '../../../../db/hosts.ts';
import type { ApiApp, ApiDependencies } from '../../../context.ts';
import { notFound } from '../../../errors.ts';
import { newToken } from '../new-token.ts';
import { operatorEntry } from '../operator-entry.ts';
import { internal, jsonAnswer } from '../route.ts';
import { params } from './host.ts';

const addTokenRoute = createRoute({
  method: 'post',
  path: '/internal/v1/hosts/{name}/tokens',
  summary: 'Create a token for a host; it is shown only once',
  ...internal,
  request: { params },
  responses: { 201: jsonAnswer('The token.', z.object({ token: z.string() })) },
});

const revokeTokensRoute = createRoute({
  method: 'delete',
  path: '/internal/v1/hosts/{name}/tokens',
  summary: 'Revoke all tokens of a host; they stop working within a second',
  ...internal,
  request: { params },
  responses: { 200: jsonAnswer('How many tokens were revoked.', z.object({ revoked: z.int() })) },
});

/** What hosts prove themselves by. */
export function registerHostTokenRoutes(app: ApiApp, { db }: ApiDependencies): void {
  app.openapi(addTokenRoute, async (c) => {
    const { token, hash } = newToken('host');
    const { name } = c.req.valid('param');
    const added = await recorded(
      db,
      (tx) => addHostToken(tx, name, hash),
      (done) => (done ? operatorEntry(c, 'create host token', `host ${name}`) : null),
    );
    if (!added) throw notFound();
    return c.json({ token }, 201);
  });

  app.openapi(revokeTokensRoute, async (c) => {
    const { name } = c.req.valid('param');
    const revoked = await recorded(
      db,
      (tx) => revokeHostTokens(tx, name),
      (count) =>
        count === null ? null : operatorEntry(c, 'revoke host tokens', `host ${name}`, { detail: `${count} tokens` }),
    );
    if (revoked === null) throw notFound();
    return c.json({ revoked }, 200);
  });
}
