import { Hono } from 'hono';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import type { ApiEnvironment } from '../context.ts';
import { answerError } from '../error-answer.ts';
import { timeLimit } from './time-limit.ts';

function appWith(handler: () => Promise<string>) {
  const app = new Hono<ApiEnvironment>();
  app.onError(answerError);
  app.use((c, next) => {
    c.set('logger', pino({ level: 'silent' }));
    return next();
  });
  app.use(timeLimit({ milliseconds: 50 }));
  app.on(['GET', 'POST'], '/', async (c) => c.text(await handler()));
  return app;
}

test('a read whose handler never answers is answered with 503', async () => {
  const answer = await appWith(() => new Promise(() => {})).request('/');
  expect(answer.status).toBe(503);
  expect(answer.headers.get('retry-after')).toBe('1');
  expect(await answer.json()).toMatchObject({ id: 'service_unavailable' });
});

test('a change that never answers is not claimed to have changed nothing: 504', async () => {
  const answer = await appWith(() => new Promise(() => {})).request('/', { method: 'POST' });
  expect(answer.status).toBe(504);
  expect(await answer.json()).toMatchObject({ id: 'gateway_timeout' });
});

test('a handler that answers in time is not touched, and neither is its error', async () => {
  expect(await (await appWith(async () => 'done').request('/')).text()).toBe('done');
  const failing = appWith(() => Promise.reject(new Error('broken')));
  expect((await failing.request('/')).status).toBe(500);
});
