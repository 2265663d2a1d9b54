import { pingMysql } from '../../../dev/environment/servers/database-access.ts';
import { pingKafka } from '../../../dev/environment/servers/kafka.ts';
import { pingTemporal } from '../../../dev/environment/servers/temporal.ts';
import { SIDES } from '../plan.ts';
import type { FaultStack } from '../stack.ts';

const BACK_WITHIN_MS = 120_000;
const PING_TIMEOUT_MS = 3_000;

/** Kills a process with SIGKILL and starts it again after a while. */
export async function killProcess(stack: FaultStack, name: string, hold: () => Promise<void>): Promise<void> {
  await stack.processes.kill(name);
  await hold();
  await bringUp(stack, name);
}

/** Starts a process again unless it runs; resolves when it answers, if it is of a kind that does. */
export async function bringUp(stack: FaultStack, name: string): Promise<void> {
  await stack.processes.bringUp(name, () => ping(stack, name), BACK_WITHIN_MS);
}

async function ping(stack: FaultStack, name: string): Promise<void> {
  if (name === 'mysql') return pingMysql({ url: stack.mysqlUrl });
  if (name === 'kafka') return pingKafka({ brokers: [stack.kafkaBrokers] });
  if (name === 'temporal') return pingTemporal({ address: stack.temporalAddress });
  const url = urlOf(stack, name);
  if (url === null) return;
  const response = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(PING_TIMEOUT_MS) });
  if (!response.ok) throw new Error(`/healthz answers ${response.status}`);
}

/** Where a process answers over HTTP; null when it does not. */
function urlOf({ apiUrls, gatewayUrls }: FaultStack, name: string): string | null {
  for (const side of SIDES) {
    if (name === `api-${side}`) return apiUrls[side];
    if (name === `gateway-${side}`) return gatewayUrls[side];
  }
  return null;
}
