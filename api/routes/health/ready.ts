import { setTimeout as sleep } from 'node:timers/promises';
import { createRoute, z } from '@hono/zod-openapi';
import type { ApiApp, ApiDependencies, HealthProbe } from '../../context.ts';

const LIMIT_MS = 1_000;
const HEALTHY = 'ok';
/** Anybody may ask, so a flood of questions must not be one of queries. */
const BELIEVED_MS = 200;

const readinessSchema = z
  .object({
    status: z.enum(['ok', 'degraded', 'warming', 'unavailable', 'stopping']).openapi({
      description:
        'degraded: requests are served, but operations complete only when Temporal is back. ' +
        'warming: requests are served, the first ones slowly; it ends by itself within seconds. ' +
        'unavailable: reads and changes are answered with 503.',
    }),
    checks: z.object({
      mysql: z.string().openapi({ description: 'ok, or what is wrong.' }),
      temporal: z.string().openapi({ description: 'ok, or what is wrong.' }),
    }),
  })
  .openapi('Readiness');

const content = { 'application/json': { schema: readinessSchema } };

const route = createRoute({
  method: 'get',
  path: '/readyz',
  operationId: 'health_ready',
  summary: 'Whether requests are served',
  tags: ['Health'],
  responses: {
    200: { description: 'Requests are served.', content },
    503: { description: 'MySQL does not answer, or the process is about to stop or still warming.', content },
  },
});

/** GET /readyz */
export function registerReady(app: ApiApp, { health, stopping, warmUp }: ApiDependencies): void {
  const read = believed(async () => {
    const [mysql, temporal] = await Promise.all([check(health.mysql), check(health.temporal)]);
    return { mysql, temporal };
  });
  app.openapi(route, async (c) => {
    const checks = await read();
    const { mysql, temporal } = checks;
    if (stopping.aborted) return c.json({ status: 'stopping' as const, checks }, 503);
    if (mysql !== HEALTHY) return c.json({ status: 'unavailable' as const, checks }, 503);
    if (temporal !== HEALTHY) {
      // There is nothing to wait for, and who was told that it is ready must not be told otherwise when Temporal is back.
      warmUp?.end();
      return c.json({ status: 'degraded' as const, checks }, 200);
    }
    if (warmUp?.isRunning) return c.json({ status: 'warming' as const, checks }, 503);
    return c.json({ status: 'ok' as const, checks }, 200);
  });
}

/** Reads once for all who ask while it is read, and shortly after. */
function believed<Result>(read: () => Promise<Result>): () => Promise<Result> {
  let latest: { result: Promise<Result>; until: number } | null = null;
  return () => {
    if (latest && performance.now() < latest.until) return latest.result;
    const current = { result: read(), until: Number.POSITIVE_INFINITY };
    latest = current;
    void current.result.finally(() => {
      current.until = performance.now() + BELIEVED_MS;
    });
    return current.result;
  };
}

async function check(probe: HealthProbe): Promise<string> {
  const stop = new AbortController();
  const silence = sleep(LIMIT_MS, `no answer within ${LIMIT_MS} ms`, { signal: stop.signal });
  try {
    return (await Promise.race([probe(), silence])) ?? HEALTHY;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    stop.abort();
    silence.catch(() => undefined);
  }
}
