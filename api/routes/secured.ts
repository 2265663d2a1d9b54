import type { MiddlewareHandler } from 'hono';
import type { ApiDependencies, ApiEnvironment } from '../context.ts';
import { requireScope, type Scope } from '../middleware/authentication.ts';
import { idempotency } from '../middleware/idempotency.ts';

/** A route that needs this right, in the OpenAPI document and in fact. */
export function secured(scope: Scope) {
  const middleware: MiddlewareHandler<ApiEnvironment>[] = [requireScope(scope)];
  return { security: [{ bearer_auth: [scope] }], middleware };
}

/** The same for a POST, which may carry an Idempotency-Key. */
export function securedPost(scope: Scope, { db, backgroundTasks }: ApiDependencies) {
  const middleware: MiddlewareHandler<ApiEnvironment>[] = [requireScope(scope), idempotency({ db, backgroundTasks })];
  return { security: [{ bearer_auth: [scope] }], middleware };
}
