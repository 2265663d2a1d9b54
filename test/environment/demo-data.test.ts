import { pino } from 'pino';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { makeDemoData } from '../../dev/environment/demo-data.ts';
import { walk } from '../../dev/environment/walk.ts';
import { runAgent } from '../../host/agent.ts';
import { SimulatedDriver } from '../../host/drivers/simulated.ts';
import { createPrivateEnvironment, type PrivateEnvironment } from '../support/private-environment.ts';

/*
 * What `npm start` fills an empty control plane with, over a database and a Temporal namespace of its own.
 */

let environment: PrivateEnvironment;
const stopping = new AbortController();
const agents: Promise<void>[] = [];

beforeAll(async () => {
  environment = await createPrivateEnvironment({ ownDatabase: true });
  await environment.startWorker();
});

afterAll(async () => {
  stopping.abort();
  await Promise.all(agents);
  await environment.close();
});

test('the demo data are made once, keep the tokens that still work, and an address can be taken through its life', async () => {
  const { apiUrl } = environment;
  const { adminToken } = inject('environment');
  const make = (earlier: Record<string, string>) => makeDemoData({ apiUrl, adminToken, earlier, report: () => {} });
  const data = await make({});
  const hostTokens = Object.fromEntries(data.hosts.map(({ tokenVariable, token }) => [tokenVariable, token]));
  expect(await make({ API_TOKEN: data.apiToken, OTHER_API_TOKEN: data.otherApiToken, ...hostTokens })).toEqual(data);
  const renewed = await make({ API_TOKEN: 'of another database', ...hostTokens });
  expect(renewed.hosts).toEqual(data.hosts);
  expect(renewed.apiToken).not.toBe(data.apiToken);

  const logger = pino({ level: 'silent' });
  for (const { name: host, token } of data.hosts) {
    agents.push(runAgent({ apiUrl, token, host, driver: new SimulatedDriver(), signal: stopping.signal, logger }));
  }
  const steps = await walk({ apiUrl, token: data.apiToken, report: () => {} });
  expect(steps.map(({ name }) => name.split(' ')[0])).toEqual(['reserve', 'assign', 'reassign', 'unassign', 'release']);
  for (const step of steps) expect(step.completeMs).toBeGreaterThanOrEqual(step.acceptMs);
});
