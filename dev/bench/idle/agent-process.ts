import { subscribe } from 'node:diagnostics_channel';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { runAgent } from '../../../host/agent.ts';
import { SimulatedDriver } from '../../../host/drivers/simulated.ts';
import { createLogger } from '../../../platform/logging/logger.ts';

/*
 * Many agents in one process, apart from the process that is measured: the real agent over a network in memory. It
 * tells its parent how many requests they have sent, whenever it is asked.
 */

const orderSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('run'),
    apiUrl: z.string(),
    hosts: z.array(z.object({ name: z.string(), token: z.string() })),
    /** The agents start one after the other over this long, as the hosts of a region do not all boot at once. */
    spreadMs: z.number(),
  }),
  z.object({ kind: z.literal('count') }),
]);
export type AgentOrder = z.infer<typeof orderSchema>;

const logger = createLogger({ level: 'warn' });
const stopping = new AbortController();
const { signal } = stopping;
let requests = 0;

subscribe('undici:request:create', () => {
  requests += 1;
});
process.on('message', (message) => {
  const order = orderSchema.parse(message);
  if (order.kind === 'run') void run(order);
  else process.send?.(requests);
});
process.once('disconnect', () => stopping.abort());

async function run({ apiUrl, hosts, spreadMs }: Extract<AgentOrder, { kind: 'run' }>): Promise<void> {
  for (const { name, token } of hosts) {
    void runAgent({ apiUrl, token, host: name, driver: new SimulatedDriver(), signal, logger });
    await sleep(spreadMs / hosts.length);
  }
}
