import { expect, inject, test } from 'vitest';
import { until } from '../../dev/kit/until.ts';
import { type Link, useLink } from '../support/link.ts';
import { startAgentProcess, startApiProcess } from '../support/processes.ts';
import { type Program, startProgram } from '../support/program.ts';

/** What docs/running.md says, and a second for a busy machine. */
const AT_MOST_MS = { api: 16_000, worker: 16_000, agent: 6_000 };

/** MySQL, Temporal, Kafka and the API, each behind a link. */
async function useLinks(): Promise<Link[]> {
  const { mysqlUrl, temporalAddress, kafkaBrokers, apiUrl } = inject('environment');
  return Promise.all([new URL(mysqlUrl).host, temporalAddress, kafkaBrokers, new URL(apiUrl).host].map(useLink));
}

function environmentOf([mysql, temporal, kafka]: Link[]): Record<string, string> {
  const { mysqlUrl, workflowBundle, adminToken } = inject('environment');
  const url = new URL(mysqlUrl);
  url.port = String(mysql?.port);
  return {
    MYSQL_URL: url.toString(),
    TEMPORAL_ADDRESS: temporal?.address ?? '',
    KAFKA_BROKERS: kafka?.address ?? '',
    WORKFLOW_BUNDLE: workflowBundle,
    ADMIN_TOKEN: adminToken,
    API_PORT: '0',
    LOG_LEVEL: 'info',
  };
}

async function stop(program: Program): Promise<number> {
  const signalledAt = performance.now();
  program.signal('SIGTERM');
  await program.ended();
  return performance.now() - signalledAt;
}

type Processes = Record<keyof typeof AT_MOST_MS, Program>;

/** Starts all three processes, and resolves when each has begun to look for its servers. */
async function startAll(links: Link[]): Promise<Processes> {
  const environment = environmentOf(links);
  const [{ program: api }, worker, agent] = await Promise.all([
    startApiProcess({ ...environment, EMBEDDED_WORKER: 'true' }),
    startProgram('workers/main.ts', [], { environment }),
    startAgentProcess({ name: 'nobody', token: 'nothing', apiUrl: `http://${links[3]?.address}` }),
  ]);
  await until('the agent has started', async () => agent.output.includes('agent started'));
  return { api, worker, agent };
}

async function expectAllToStop({ api, worker, agent }: Processes, when: string): Promise<void> {
  const times = await Promise.all([stop(api), stop(worker), stop(agent)]);
  const [apiMs = 0, workerMs = 0, agentMs = 0] = times.map(Math.round);
  console.log(`${when}: API stopped after ${apiMs} ms, worker after ${workerMs} ms, agent after ${agentMs} ms`);
  expect(apiMs).toBeLessThan(AT_MOST_MS.api);
  expect(workerMs).toBeLessThan(AT_MOST_MS.worker);
  expect(agentMs).toBeLessThan(AT_MOST_MS.agent);
}

test('processes stop in time while they look for servers that reject them or keep silent', async () => {
  for (const state of ['refusing', 'silent'] as const) {
    const links = await useLinks();
    for (const link of links) link.become(state);
    await expectAllToStop(await startAll(links), `starting, servers ${state}`);
  }
}, 120_000);

test('processes stop in time when their servers have gone or have fallen silent', async () => {
  const states = ['refusing', 'silent'] as const;
  const started = await Promise.all(
    states.map(async (state) => {
      const links = await useLinks();
      const processes = await startAll(links);
      await processes.worker.printed('worker started', 60_000);
      return { state, links, processes };
    }),
  );
  await Promise.all(
    started.map(({ state, links, processes }) => {
      for (const link of links) link.become(state);
      return expectAllToStop(processes, `running, servers ${state}`);
    }),
  );
}, 120_000);
