import { type RouteConfig, z } from '@hono/zod-openapi';
import { errorSchema } from './common.ts';

/*
 * The answers that the OpenAPI document names, each declared once.
 */

const headerNames = ['ratelimit-limit', 'ratelimit-remaining', 'ratelimit-reset', 'x-request-id'] as const;

/** The headers of answers under /v2, as components of the document. */
export const headerComponents = {
  'ratelimit-limit': { description: 'Requests allowed per hour.', schema: { type: 'integer' } },
  'ratelimit-remaining': { description: 'Requests left in the past hour.', schema: { type: 'integer' } },
  'ratelimit-reset': { description: 'When the counter is reset, in Unix seconds.', schema: { type: 'integer' } },
  'x-request-id': { description: "The request's id in the logs.", schema: { type: 'string' } },
  'retry-after': { description: 'Seconds to wait before a retry.', schema: { type: 'integer' } },
} as const;

const reference = (name: string) => ({ $ref: `#/components/headers/${name}` });
const headers = Object.fromEntries(headerNames.map((name) => [name, reference(name)]));

/** An answer with a JSON body. */
export function jsonAnswer<Schema extends z.ZodType>(description: string, schema: Schema) {
  return { description, headers, content: { 'application/json': { schema } } };
}

/** A request's JSON body. */
export function jsonRequest<Schema extends z.ZodType>(schema: Schema) {
  return { required: true, content: { 'application/json': { schema } } };
}

/** An answer without a body. */
export const emptyAnswer = { description: 'Done.', headers };

const error = (description: string) => jsonAnswer(description, errorSchema);

function errorToRetry(description: string) {
  const answer = error(description);
  return { ...answer, headers: { ...headers, 'retry-after': reference('retry-after') } };
}

const errorAnswers = {
  400: error('The body is not JSON, or the reserved IPv6 to release is still assigned.'),
  401: error('The token is missing or unknown.'),
  403: error('The token lacks the scope for this request.'),
  404: error('The resource does not exist, or belongs to another account.'),
  409: error('A request with the same Idempotency-Key is still being processed.'),
  413: error('The body is too large.'),
  422: error('The request cannot be carried out; the message says why.'),
  429: errorToRetry('Too many requests; retry after the time in `retry-after`.'),
  500: error('Unexpected server-side error.'),
  503: errorToRetry('The service is unavailable; retry after the time in `retry-after`.'),
  504: errorToRetry(
    'It is not known whether the request was carried out. It can be repeated safely with its Idempotency-Key.',
  ),
} satisfies RouteConfig['responses'];

/** Error answers of every route under /v2. */
export const errorsOfEvery = {
  401: errorAnswers[401],
  403: errorAnswers[403],
  429: errorAnswers[429],
  500: errorAnswers[500],
  503: errorAnswers[503],
};

/** Error answers of a list. */
export const errorsOfList = { ...errorsOfEvery, 422: errorAnswers[422] };

/** Error answers of a route that names one resource. */
export const errorsOfOne = { ...errorsOfEvery, 404: errorAnswers[404] };

/** Error answers of a list below one resource. */
export const errorsOfNestedList = { ...errorsOfList, 404: errorAnswers[404] };

/** Error answers of a route that changes something. */
export const errorsOfChange = { ...errorAnswers };

/** The header that makes a POST repeatable. */
export const idempotencyHeader = z.object({
  'idempotency-key': z.string().optional().openapi({
    description:
      'A request that is repeated with the same key is answered again and carried out only once. At most 255 characters.',
  }),
});
