import { createRoute, z } from '@hono/zod-openapi';
import type { ApiApp } from '../../context.ts';

const route = createRoute({
  method: 'get',
  path: '/healthz',
  operationId: 'health_live',
  summary: 'Whether the process is running',
  tags: ['Health'],
  responses: {
    200: {
      description: 'The process is running.',
      content: { 'application/json': { schema: z.object({ status: z.literal('ok') }) } },
    },
  },
});

/** GET /healthz */
export function registerLive(app: ApiApp): void {
  app.openapi(route, (c) => c.json({ status: 'ok' } as const, 200));
}
