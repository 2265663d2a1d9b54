import type { Logger } from 'pino';
import { requestIdFrom } from '../../platform/http/request-id.ts';
import type { ApiApp } from '../context.ts';
import type { LineBudget } from '../fairness/line-budget.ts';

/** Most characters of a path; the longest that means anything has some 100. */
const LONGEST_PATH = 2_048;
/** Most characters of it that are logged. */
const LONGEST_TEXT = 200;

/** Options of {@link limitPaths}. */
export interface PathLimitOptions {
  logger: Logger;
  rejectedLines: LineBudget;
}

/** Rejects paths that are longer than any honest one, before they are routed: every middleware would look at them. */
export function limitPaths(app: ApiApp, { logger, rejectedLines }: PathLimitOptions): void {
  const { fetch } = app;
  app.fetch = (request, ...rest) => {
    const path = pathOf(request.url);
    if (path.length <= LONGEST_PATH) return fetch(request, ...rest);
    const requestId = requestIdFrom(request.headers.get('x-request-id') ?? undefined);
    if (rejectedLines.allows('rejected 414')) {
      const line = { requestId, method: request.method, path: path.slice(0, LONGEST_TEXT), status: 414 };
      logger.warn(line, 'request rejected');
    }
    return rejection(requestId);
  };
}

function pathOf(url: string): string {
  const start = url.indexOf('/', url.indexOf('://') + 3);
  const query = url.indexOf('?', start);
  return url.slice(start, query < 0 ? url.length : query);
}

function rejection(requestId: string): Response {
  const message = `The path may be ${LONGEST_PATH} characters at most.`;
  return new Response(JSON.stringify({ id: 'uri_too_long', message, request_id: requestId }), {
    status: 414,
    headers: { 'content-type': 'application/json; charset=utf-8', 'x-request-id': requestId },
  });
}
