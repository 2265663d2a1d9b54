import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { openDatabase } from '../../db/database.ts';
import { startApplication, startHost } from '../../stack/application.ts';
import { STACK_FOLDER } from '../../stack/paths.ts';
import { ProcessSupervisor } from '../../stack/processes.ts';
import { startServers } from '../../stack/servers/index.ts';
import { printError } from '../../text/print.ts';
import { BenchClient } from '../http.ts';
import { REGION, registerHosts } from '../stack.ts';
import { giveAnsweredEvents } from './answered-events.ts';
import type { Attacker } from './floods.ts';
import type { Victim } from './victim.ts';

/** Hosts with a running agent. */
const HOSTS = 2;
const ATTACKERS_ADDRESSES = 10;

/** A whole installation with the customer who is measured and the one who floods. */
export interface FairnessStack {
  victim: Victim;
  attacker: Attacker;
  close(): Promise<void>;
}

/** Starts real servers, an API process with a worker inside and another worker, and host agents. */
export async function startFairnessStack(): Promise<FairnessStack> {
  const dataFolder = await mkdtemp(join(tmpdir(), 'reserved-ip-bench-'));
  const supervisor = new ProcessSupervisor({ folder: join(STACK_FOLDER, 'bench-fairness') });
  const report = (line: string) => printError(line);
  async function close(): Promise<void> {
    await supervisor.stop();
    await rm(dataFolder, { recursive: true, force: true });
  }
  try {
    const servers = await startServers({ supervisor, dataFolder, environment: process.env, report, ports: 'free' });
    const adminToken = randomBytes(24).toString('base64url');
    // The log as an installation has it, since writing it is a part of what a flood costs.
    const environment = { ...process.env, QUARANTINE_SECONDS: '1' };
    const settings = { supervisor, servers, adminToken, environment, logLevel: 'info' };
    const application = await startApplication({
      ...settings,
      apiPort: servers.ports.api,
      workerCount: 1,
      embeddedWorker: true,
    });
    const { apiUrl } = application;
    const admin = new BenchClient(apiUrl, adminToken);
    const hosts = await registerHosts(admin, HOSTS);
    await Promise.all(hosts.map((host) => startHost(settings, { ...host, apiUrl })));
    const victim = await makeCustomer(admin, apiUrl, 'victim');
    const attacking = await makeCustomer(admin, apiUrl, 'attacker');
    const addresses: string[] = [];
    for (let made = 0; made < ATTACKERS_ADDRESSES; made++) addresses.push(await reserve(attacking.api));
    const hostToken = await registerHost(admin, 'hostile');
    const db = openDatabase({ url: servers.mysqlUrl, poolSize: 1 });
    const acknowledgments = await giveAnsweredEvents(db, 'hostile').finally(() => db.destroy());
    return {
      victim: { api: victim.api, region: REGION, dropletId: victim.dropletId },
      attacker: {
        apiUrl,
        token: await makeToken(admin, attacking.accountId, {}),
        unlimitedToken: attacking.token,
        hostToken,
        addresses,
        dropletId: attacking.dropletId,
        region: REGION,
        acknowledgments,
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function makeCustomer(admin: BenchClient, apiUrl: string, name: string) {
  const accountSchema = z.object({ account: z.object({ id: z.int() }) });
  const { account } = await admin.send(
    { method: 'POST', path: '/internal/v1/accounts', status: 201, schema: accountSchema },
    { name, email: `${name}@example.com`, reserved_ip_limit: 200, droplet_limit: 100 },
  );
  const limits = { requests_per_minute: 10_000_000, requests_per_hour: 100_000_000 };
  const token = await makeToken(admin, account.id, limits);
  const api = new BenchClient(apiUrl, token);
  const dropletSchema = z.object({ droplet: z.object({ id: z.int() }) });
  const { droplet } = await api.send(
    { method: 'POST', path: '/v2/droplets', status: 202, schema: dropletSchema },
    { name, region: REGION, size: 's-1vcpu-1gb', image: 'debian-12-x64' },
  );
  return { accountId: account.id, token, api, dropletId: droplet.id };
}

async function makeToken(admin: BenchClient, accountId: number, limits: Record<string, number>): Promise<string> {
  const path = `/internal/v1/accounts/${accountId}/tokens`;
  const schema = z.object({ token: z.string() });
  return (await admin.send({ method: 'POST', path, status: 201, schema }, { name: 'bench', ...limits })).token;
}

async function reserve(api: BenchClient): Promise<string> {
  const schema = z.object({ reserved_ip: z.object({ ip: z.string() }) });
  const expected = { method: 'POST', path: '/v2/reserved_ips', status: 202, schema } as const;
  return (await api.send(expected, { region: REGION })).reserved_ip.ip;
}

async function registerHost(admin: BenchClient, name: string): Promise<string> {
  const path = `/internal/v1/hosts/${name}`;
  const form = { region: REGION, anchor_cidr: '10.18.0.0/16' };
  await admin.send({ method: 'PUT', path, status: 200, schema: z.object({}) }, form);
  const schema = z.object({ token: z.string() });
  return (await admin.send({ method: 'POST', path: `${path}/tokens`, status: 201, schema })).token;
}
