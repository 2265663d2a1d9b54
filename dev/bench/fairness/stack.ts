import { openDatabase } from '../../../db/database.ts';
import { startApplication, startHost } from '../../environment/application.ts';
import { BenchClient } from '../http.ts';
import { makeAccount, makeDroplet, makeToken, registerHost, reserveAddress } from '../installation.ts';
import { startOnServers } from '../servers.ts';
import { makeBenchRegion, REGION } from '../stack.ts';
import { giveAnsweredCommands } from './answered-commands.ts';
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
export function startFairnessStack(): Promise<FairnessStack> {
  return startOnServers('bench-fairness', async ({ supervisor, servers, adminToken, close }) => {
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
    const hosts = await makeBenchRegion(admin, HOSTS);
    await Promise.all(hosts.map((host) => startHost(settings, { ...host, apiUrl })));
    const victim = await makeCustomer(admin, apiUrl, 'victim');
    const attacking = await makeCustomer(admin, apiUrl, 'attacker');
    const addresses: string[] = [];
    for (let made = 0; made < ATTACKERS_ADDRESSES; made++) {
      addresses.push(await reserveAddress(attacking.api, REGION));
    }
    const { token: hostToken } = await registerHost(admin, REGION, 'hostile');
    const db = openDatabase({ url: servers.mysqlUrl, poolSize: 1 });
    const acknowledgments = await giveAnsweredCommands(db, 'hostile').finally(() => db.destroy());
    return {
      victim: { api: victim.api, region: REGION, dropletId: victim.dropletId },
      attacker: {
        apiUrl,
        token: await makeToken(admin, attacking.accountId),
        unlimitedToken: attacking.token,
        hostToken,
        addresses,
        dropletId: attacking.dropletId,
        region: REGION,
        acknowledgments,
      },
      close,
    };
  });
}

async function makeCustomer(admin: BenchClient, apiUrl: string, name: string) {
  const customer = await makeAccount(admin, name, { reservedIpLimit: 200, dropletLimit: 100 });
  const api = new BenchClient(apiUrl, customer.token);
  return { ...customer, api, dropletId: await makeDroplet(api, REGION, name) };
}
