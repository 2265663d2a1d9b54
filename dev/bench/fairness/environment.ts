import { printError } from '../../../platform/text/print.ts';
import { type Closable, startEnvironment } from '../../kit/environment.ts';
import { POOL, REGION } from '../environment.ts';
import { BenchClient } from '../http.ts';
import { giveAnsweredCommands } from './answered-commands.ts';
import type { Attacker } from './floods.ts';
import type { Victim } from './victim.ts';

/** Hosts with a running agent. */
const HOSTS = 2;
const ATTACKERS_ADDRESSES = 10;
const LIMITS = { reservedIpLimit: 200, dropletLimit: 100 };

/** A whole installation with the customer who is measured and the one who floods. */
export interface FairnessEnvironment extends Closable {
  victim: Victim;
  attacker: Attacker;
}

/** Starts real servers, an API process with a worker inside and another worker, and host agents. */
export function startFairnessEnvironment(): Promise<FairnessEnvironment> {
  const settings = { QUARANTINE_SECONDS: '1' };
  // The log as an installation has it, since writing it is a part of what a flood costs.
  const options = { folder: 'bench-fairness', settings, logLevel: 'info', report: printError };
  return startEnvironment(options, async (environment) => {
    const { operator, apiUrl } = environment;
    await environment.startApplication();
    await operator.makeRegion(REGION, POOL);
    await environment.startHosts(await operator.registerHosts(REGION, HOSTS));
    const victim = await operator.makeAccount('victim', LIMITS);
    const attacker = await operator.makeAccount('attacker', LIMITS);
    const dropletId = await attacker.makeDroplet(REGION);
    const addresses: string[] = [];
    while (addresses.length < ATTACKERS_ADDRESSES) addresses.push(await attacker.reserve(REGION));
    const { name, token: hostToken } = await operator.registerHost(REGION, 'hostile');
    const api = new BenchClient(apiUrl, victim.token);
    environment.onClose(() => api.close());
    return {
      victim: { api, region: REGION, dropletId: await victim.makeDroplet(REGION) },
      attacker: {
        ...{ apiUrl, hostToken, addresses, dropletId, region: REGION },
        token: await operator.makeToken(attacker.id, { requests_per_minute: undefined, requests_per_hour: undefined }),
        unlimitedToken: attacker.token,
        acknowledgments: await giveAnsweredCommands(environment.openDatabase(1), name),
      },
    };
  });
}
