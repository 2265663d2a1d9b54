import { serve } from '@hono/node-server';
import type { Hono } from 'hono';

/** Serves an application on loopback; resolves once it listens. */
export function listen(app: Hono, port: number): Promise<void> {
  return new Promise((resolve) => {
    serve({ fetch: app.fetch, port, hostname: '127.0.0.1' }, () => resolve());
  });
}
