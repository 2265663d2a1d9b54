import type { ApiApp } from '../context.ts';

/** Most characters of a path; the longest that means anything has some 60. */
const LONGEST_PATH = 2_048;

/** Refuses paths that are longer than any honest one, before they are routed, logged or masked. */
export function limitPaths(app: ApiApp): void {
  const { fetch } = app;
  app.fetch = (request, ...rest) => (pathLength(request.url) > LONGEST_PATH ? tooLong() : fetch(request, ...rest));
}

function pathLength(url: string): number {
  const start = url.indexOf('/', url.indexOf('://') + 3);
  const query = url.indexOf('?', start);
  return (query < 0 ? url.length : query) - start;
}

function tooLong(): Response {
  const message = `The path may be ${LONGEST_PATH} characters at most.`;
  return Response.json({ id: 'uri_too_long', message }, { status: 414 });
}
