import { createRoute, z } from '@hono/zod-openapi';
import { recorded } from '../../../db/audit-log.ts';
import { addOperatorToken, listOperatorTokens, revokeOperatorTokens } from '../../../db/operator-tokens.ts';
import { BOOTSTRAP_OPERATOR } from '../../../domain/requester.ts';
import type { ApiApp, ApiDependencies } from '../../context.ts';
import { notFound, unprocessable } from '../../errors.ts';
import { newToken } from './new-token.ts';
import { operatorEntry } from './operator-entry.ts';
import { internal, jsonAnswer, newName } from './route.ts';
import { lastUseFields, presentLastUse } from './token-use.ts';

const NAME = /^[a-z0-9][a-z0-9._@-]{0,62}$/;
const params = z.object({ name: z.string() });

const createTokenRoute = createRoute({
  method: 'post',
  path: '/internal/v1/operators/{name}/tokens',
  summary: 'Create a token for an operator; it is shown only once',
  ...internal,
  request: { params },
  responses: { 201: jsonAnswer('The token.', z.object({ id: z.int(), token: z.string() })) },
});

const listTokensRoute = createRoute({
  method: 'get',
  path: '/internal/v1/operator-tokens',
  summary: "List all operators' tokens and when they were used last",
  ...internal,
  responses: {
    200: jsonAnswer(
      'By name.',
      z.object({ operator_tokens: z.array(z.object({ id: z.int(), name: z.string(), ...lastUseFields })) }),
    ),
  },
});

const revokeTokensRoute = createRoute({
  method: 'delete',
  path: '/internal/v1/operators/{name}/tokens',
  summary: 'Revoke all tokens of an operator; they stop working within a second',
  ...internal,
  request: { params },
  responses: { 200: jsonAnswer('How many tokens were revoked.', z.object({ revoked: z.int() })) },
});

/** Operators' tokens. The admin token has no row: it is what the process was started with. */
export function registerOperatorAdministration(app: ApiApp, { db }: ApiDependencies): void {
  app.openapi(createTokenRoute, async (c) => {
    const name = newName(c.req.valid('param').name, 'name', NAME);
    if (name === BOOTSTRAP_OPERATOR) throw unprocessable(`${name} is the name of whoever uses ADMIN_TOKEN.`);
    const { token, hash } = newToken('operator');
    const id = await recorded(
      db,
      (tx) => addOperatorToken(tx, name, hash),
      (added) => operatorEntry(c, 'create operator token', `operator ${name}`, { detail: `operator token ${added}` }),
    );
    return c.json({ id, token }, 201);
  });

  app.openapi(listTokensRoute, async (c) => {
    const tokens = await listOperatorTokens(db);
    const operator_tokens = tokens.map((token) => ({ id: token.id, name: token.name, ...presentLastUse(token) }));
    return c.json({ operator_tokens }, 200);
  });

  app.openapi(revokeTokensRoute, async (c) => {
    const { name } = c.req.valid('param');
    const revoked = await recorded(
      db,
      (tx) => revokeOperatorTokens(tx, name),
      (count) =>
        count === null
          ? null
          : operatorEntry(c, 'revoke operator tokens', `operator ${name}`, { detail: `${count} tokens` }),
    );
    if (revoked === null) throw notFound();
    return c.json({ revoked }, 200);
  });
}
