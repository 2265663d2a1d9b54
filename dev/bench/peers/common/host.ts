import { setTimeout as sleep } from 'node:timers/promises';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { printError } from '../../../../platform/text/print.ts';
import { BenchClient } from '../../http.ts';
import { type HostCommand, hostCommandSchema } from './operation.ts';

/*
 * The hosts of the peers, in one process: each takes a command, and replies after as many milliseconds as its URL says.
 *
 *     node dev/bench/peers/common/host.ts <port>
 */

/** How long a reply is repeated while nobody takes it. */
const REPLY_WITHIN_MS = 60_000;
const REPEAT_AFTER_MS = 200;

const clients = new Map<string, BenchClient>();

const app = new Hono();
app.get('/health', (context) => context.text('up'));
app.post('/after/:delay/commands', async (context) => {
  const command = hostCommandSchema.parse(await context.req.json());
  void carryOut(command, Number(context.req.param('delay')));
  return context.body(null, 202);
});
serve({ fetch: app.fetch, port: Number(process.argv[2]), hostname: '127.0.0.1' });

async function carryOut({ reply }: HostCommand, delayMs: number): Promise<void> {
  if (delayMs > 0) await sleep(delayMs);
  const { origin, pathname } = new URL(reply.url);
  const client = clients.get(origin) ?? new BenchClient(origin, '');
  clients.set(origin, client);
  const deadline = performance.now() + REPLY_WITHIN_MS;
  for (;;) {
    const answer = await client.exchange('POST', pathname, reply.body).catch(() => null);
    // A reply that is not wanted any more is answered with a 4xx.
    if (answer && answer.status < 500) return;
    if (performance.now() > deadline) return printError(`nobody took the reply to ${reply.url}`);
    await sleep(REPEAT_AFTER_MS);
  }
}
