import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { runAgent } from '../../../host/agent.ts';
import { SimulatedDriver } from '../../../host/drivers/simulated.ts';
import { createLogger } from '../../../platform/logging/logger.ts';

/*
 * The real agents of all hosts in one process, each over a simulated network in a file of its own.
 *
 *     node dev/demo/cut-over/agents.ts <plan>
 */

const planSchema = z.object({
  apiUrl: z.string(),
  hosts: z.array(z.object({ name: z.string(), token: z.string(), networkFile: z.string() })),
});
/** What the process is told. */
export type AgentsPlan = z.infer<typeof planSchema>;

const { apiUrl, hosts } = planSchema.parse(JSON.parse(await readFile(process.argv[2] ?? '', 'utf8')));
const logger = createLogger({ level: 'warn' });
const stopping = new AbortController();
process.once('SIGTERM', () => stopping.abort());
await Promise.all(
  hosts.map(({ name, token, networkFile }) => {
    const driver = new SimulatedDriver({ networkFile });
    return runAgent({ apiUrl, token, host: name, driver, signal: stopping.signal, logger });
  }),
);
process.exit();
