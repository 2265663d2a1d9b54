import { Hono } from 'hono';
import type { Gateway } from './gateway.ts';

/** What operators see of a gateway. It is not for the public: differences hold customers' data. */
export function createInspection({ metrics, shadow }: Pick<Gateway, 'metrics' | 'shadow'>): Hono {
  const app = new Hono();
  app.get('/metrics', async (c) => {
    c.header('content-type', metrics.registry.contentType);
    return c.body(await metrics.registry.metrics());
  });
  app.get('/shadow/differences', (c) => c.json({ differences: shadow.differences }));
  return app;
}
