import { pingMysql } from '../../../dev/environment/servers/database-access.ts';
import { pingKafka } from '../../../dev/environment/servers/kafka.ts';
import { pingTemporal } from '../../../dev/environment/servers/temporal.ts';
import type { FaultEnvironment } from '../environment.ts';
import { SIDES } from '../plan.ts';

const BACK_WITHIN_MS = 120_000;
const PING_TIMEOUT_MS = 3_000;

/** Kills a process with SIGKILL and starts it again after a while. */
export async function killProcess(
  environment: FaultEnvironment,
  name: string,
  hold: () => Promise<void>,
): Promise<void> {
  await environment.processes.kill(name);
  await hold();
  await bringUp(environment, name);
}

/** Starts a process again unless it runs; resolves when it answers, if it is of a kind that does. */
export async function bringUp(environment: FaultEnvironment, name: string): Promise<void> {
  await environment.processes.bringUp(name, () => ping(environment, name), BACK_WITHIN_MS);
}

async function ping(environment: FaultEnvironment, name: string): Promise<void> {
  if (name === 'mysql') return pingMysql({ url: environment.mysqlUrl });
  if (name === 'kafka') return pingKafka({ brokers: [environment.kafkaBrokers] });
  if (name === 'temporal') return pingTemporal({ address: environment.temporalAddress });
  const url = urlOf(environment, name);
  if (url === null) return;
  const response = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(PING_TIMEOUT_MS) });
  if (!response.ok) throw new Error(`/healthz answers ${response.status}`);
}

/** Where a process answers over HTTP; null when it does not. */
function urlOf({ apiUrls, gatewayUrls }: FaultEnvironment, name: string): string | null {
  for (const side of SIDES) {
    if (name === `api-${side}`) return apiUrls[side];
    if (name === `gateway-${side}`) return gatewayUrls[side];
  }
  return null;
}
