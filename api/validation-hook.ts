import type { Hook, z } from '@hono/zod-openapi';
import type { ApiEnvironment } from './context.ts';
import { notFound, unprocessable } from './errors.ts';

/**
 * Turns what a schema rejects into v2 errors: a path that cannot name anything is not found, everything else is a 422
 * that names the field.
 */
export const validationHook: Hook<unknown, ApiEnvironment, string, void> = (result) => {
  if (result.success) return;
  if (result.target === 'param') throw notFound();
  throw unprocessable(describe(result.error.issues[0]));
};

function describe(issue: z.core.$ZodIssue | undefined): string {
  if (!issue) return 'The request is invalid.';
  if (issue.path.length > 0) return `${issue.path.join('.')} ${issue.message}.`;
  return /^[A-Z]/.test(issue.message) ? issue.message : `The request body ${issue.message}.`;
}
