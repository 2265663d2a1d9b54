import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { CodePath } from '../../../edge/code-paths.ts';
import type { Customer, TimedAnswer } from './client.ts';

/** Polls until an action has ended, a while longer than the slowest fault. */
const POLL_MS = 10;
const ENDED_WITHIN_MS = 15_000;

/** One request of a code path, as it was answered. */
export interface Sample {
  codePath: CodePath;
  ms: number;
  status: number;
}

/** What a cycle works with. */
export interface CycleOptions {
  customer: Customer;
  region: string;
  /** Two droplets that nothing else is done with. */
  droplets: readonly [number, number];
  /** Called around every measured request. */
  around(codePath: CodePath, send: () => Promise<TimedAnswer>): Promise<TimedAnswer>;
}

/** A request failed, so the address and the droplets may be in any state: the cycle is over. */
class CycleBroken extends Error {}

/**
 * Leads one address through the nine code paths of a resource name, and a second one that is reserved for a droplet; answers
 * what each request took. Waiting for hosts is not part of it. `intact` is false when a request failed.
 */
export async function runCycle(
  resourceName: 'reserved_ips' | 'floating_ips',
  { customer, region, droplets, around }: CycleOptions,
): Promise<{ samples: Sample[]; intact: boolean }> {
  const samples: Sample[] = [];
  const [first, second] = droplets;
  const base = `/v2/${resourceName}`;

  async function timed(codePath: CodePath, method: string, path: string, body?: unknown): Promise<unknown> {
    const answer = await around(codePath, () => customer.send(method, path, body));
    samples.push({ codePath, ms: answer.ms, status: answer.status });
    if (!isSuccess(answer.status)) throw new CycleBroken(`${codePath}: ${answer.status}`);
    return answer.body;
  }
  async function ended(ip: string, actionId: number): Promise<void> {
    const deadline = performance.now() + ENDED_WITHIN_MS;
    while (performance.now() < deadline) {
      const { body } = await customer.send('GET', `${base}/${ip}/actions/${actionId}`);
      const parsed = actionAnswer.safeParse(body);
      if (parsed.success && parsed.data.action.status === 'completed') return;
      if (parsed.success && parsed.data.action.status === 'errored') break;
      await sleep(POLL_MS);
    }
    throw new CycleBroken(`action ${actionId} did not complete`);
  }
  const change = async (codePath: CodePath, ip: string, body: unknown) => {
    const { action } = actionAnswer.parse(await timed(codePath, 'POST', `${base}/${ip}/actions`, body));
    await ended(ip, action.id);
    return action.id;
  };

  try {
    const ip = readIp(await timed(`${resourceName}.create_in_region`, 'POST', base, { region }));
    const actionId = await change(`${resourceName}.assign`, ip, { type: 'assign', droplet_id: first });
    await timed(`${resourceName}.list`, 'GET', base);
    await timed(`${resourceName}.show`, 'GET', `${base}/${ip}`);
    await timed(`${resourceName}.list_actions`, 'GET', `${base}/${ip}/actions`);
    await timed(`${resourceName}.show_action`, 'GET', `${base}/${ip}/actions/${actionId}`);
    await change(`${resourceName}.unassign`, ip, { type: 'unassign' });
    await timed(`${resourceName}.delete`, 'DELETE', `${base}/${ip}`);
    const created = await timed(`${resourceName}.create_for_droplet`, 'POST', base, { droplet_id: second });
    const other = readIp(created);
    await ended(other, linkedAction.parse(created).links.actions[0].id);
    await timed(`${resourceName}.delete`, 'DELETE', `${base}/${other}`);
    return { samples, intact: true };
  } catch (error) {
    if (!(error instanceof CycleBroken)) throw error;
    return { samples, intact: false };
  }
}

/** Whether a customer got what they asked for. */
export function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

const actionAnswer = z.object({ action: z.object({ id: z.int(), status: z.string() }) });
const linkedAction = z.object({ links: z.object({ actions: z.tuple([z.object({ id: z.int() })]) }) });
const one = z.object({ ip: z.string() });

function readIp(body: unknown): string {
  const answer = z.union([z.object({ reserved_ip: one }), z.object({ floating_ip: one })]).parse(body);
  return 'reserved_ip' in answer ? answer.reserved_ip.ip : answer.floating_ip.ip;
}
