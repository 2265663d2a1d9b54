import type { z } from '@hono/zod-openapi';
import { unprocessable } from '../../errors.ts';

/** What all routes for operators share. */
export const internal = { tags: ['Internal'], security: [{ adminToken: [] }] };

/** A JSON body that must be there; a field it has not is rejected, so that an operator's slip does not pass for done. */
export function jsonBody<Shape extends z.ZodRawShape>(schema: z.ZodObject<Shape>) {
  return { body: { required: true, content: { 'application/json': { schema: schema.strict() } } } };
}

/** An answer with a JSON body. */
export function jsonAnswer<Schema extends z.ZodType>(description: string, schema: Schema) {
  return { description, content: { 'application/json': { schema } } };
}

/** A name in a path that something new is made under. Throws the 422 that says what is wrong with it. */
export function newName(name: string, field: string, pattern: RegExp): string {
  if (pattern.test(name)) return name;
  throw unprocessable(`${field} ${name} must match ${pattern.source}.`);
}
