import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError } from '../../platform/api-client/api-error.ts';
import { type ApiClient, dataOf, openApiClient } from '../../platform/api-client/client.ts';
import type { components } from '../../platform/api-client/generated/customer-api.ts';
import { runProcess } from '../../platform/config/run-process.ts';
import { ENVIRONMENT_FILE, readEnvironmentFile } from '../../platform/env-file.ts';
import { print } from '../../platform/text/print.ts';
import { visible } from '../../platform/text/visible.ts';
import { EnvironmentError } from './errors.ts';

const POLL_MS = 10;
const COMPLETION_TIMEOUT_MS = 60_000;
/** How often the API is asked while it says that it is not available. */
const ATTEMPTS = 5;

type Action = components['schemas']['Action'];
type Droplet = Pick<components['schemas']['Droplet'], 'id' | 'name' | 'region'>;

/** Where to walk, and who is told. */
export interface WalkOptions {
  readonly apiUrl: string;
  /** Token of an account with two droplets in one region that have no reserved IP. */
  readonly token: string;
  readonly report?: (line: string) => void;
}

/** What one step of the walk took. */
export interface WalkStep {
  /** Begins with a word for what is done, such as `assign`. */
  readonly name: string;
  /** Until the request was answered. */
  readonly acceptMs: number;
  /** Until the action was `completed`, from the sending of the request. */
  readonly completeMs: number;
}

/**
 * Takes one address through its whole life over the public API: reserve, assign, reassign, unassign, release. Each
 * step is reported with its times as it completes.
 *
 * @throws {ApiError} when a request is rejected.
 * @throws {EnvironmentError} when an action ends `errored` or does not end within a minute.
 */
export async function walk(options: WalkOptions): Promise<WalkStep[]> {
  const { apiUrl, token, report = () => {} } = options;
  const customer = openApiClient({ baseUrl: apiUrl, token, attempts: ATTEMPTS });
  const [first, second] = await twoDropletsOfOneRegion(customer);
  const steps: WalkStep[] = [];
  const take = async (name: string, start: () => Promise<{ status: number; completed: () => Promise<void> }>) => {
    const started = performance.now();
    const { status, completed } = await start();
    const acceptMs = performance.now() - started;
    await completed();
    const taken = { name, acceptMs, completeMs: performance.now() - started };
    steps.push(taken);
    report(describe(taken, status));
  };
  let ip = '';
  const act = (body: components['schemas']['ReservedIpAction']) => async () => {
    const answer = await customer.POST('/v2/reserved_ips/{ip}/actions', { params: { path: { ip } }, body });
    const { id } = (await dataOf(answer)).action;
    return { status: answer.response.status, completed: () => untilCompleted(customer, ip, id) };
  };

  await take(`reserve in ${first.region.slug}`, async () => {
    const answer = await customer.POST('/v2/reserved_ips', { body: { region: first.region.slug } });
    ip = (await dataOf(answer)).reserved_ip.ip;
    return { status: answer.response.status, completed: () => untilAllCompleted(customer, ip) };
  });
  report(`  the address is ${ip}`);
  await take(`assign to ${first.name}`, act({ type: 'assign', droplet_id: first.id }));
  await take(`reassign to ${second.name}`, act({ type: 'assign', droplet_id: second.id }));
  await take('unassign', act({ type: 'unassign' }));
  await take('release', async () => {
    const { response } = await customer.DELETE('/v2/reserved_ips/{ip}', { params: { path: { ip } } });
    return { status: response.status, completed: () => untilGone(customer, ip) };
  });
  return steps;
}

async function twoDropletsOfOneRegion(customer: ApiClient): Promise<[Droplet, Droplet]> {
  const params = { query: { per_page: 200 } };
  const { droplets } = await dataOf(customer.GET('/v2/droplets', { params }));
  const { reserved_ips: reserved } = await dataOf(customer.GET('/v2/reserved_ips', { params }));
  const occupied = new Set(reserved.map(({ droplet }) => droplet?.id));
  const free = droplets.filter((droplet) => !occupied.has(droplet.id));
  for (const first of free) {
    const second = free.find((other) => other.id !== first.id && other.region.slug === first.region.slug);
    if (second !== undefined) return [first, second];
  }
  throw new EnvironmentError('The walk needs two droplets in one region that have no reserved IP; there are none.');
}

async function untilCompleted(customer: ApiClient, ip: string, actionId: number): Promise<void> {
  await poll(`action ${actionId}`, async () => {
    const params = { path: { ip, action_id: actionId } };
    return hasCompleted((await dataOf(customer.GET('/v2/reserved_ips/{ip}/actions/{action_id}', { params }))).action);
  });
}

async function untilAllCompleted(customer: ApiClient, ip: string): Promise<void> {
  await poll(`what is done with ${ip}`, async () => {
    const { actions } = await dataOf(customer.GET('/v2/reserved_ips/{ip}/actions', { params: { path: { ip } } }));
    return actions.every(hasCompleted);
  });
}

async function untilGone(customer: ApiClient, ip: string): Promise<void> {
  await poll(`the release of ${ip}`, async () => {
    try {
      await customer.GET('/v2/reserved_ips/{ip}', { params: { path: { ip } } });
      return false;
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return true;
      throw error;
    }
  });
}

function hasCompleted(action: Action): boolean {
  if (action.status === 'errored') throw new EnvironmentError(`action ${action.id} (${action.type}) ended as errored`);
  return action.status === 'completed';
}

async function poll(what: string, isDone: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + COMPLETION_TIMEOUT_MS;
  while (!(await isDone())) {
    if (performance.now() > deadline) throw new EnvironmentError(`${what} did not get to its end within a minute`);
    await sleep(POLL_MS);
  }
}

function describe(step: WalkStep, status: number): string {
  const accept = `${Math.round(step.acceptMs)} ms`.padStart(7);
  const complete = `${Math.round(step.completeMs)} ms`.padStart(8);
  return `  ${step.name.padEnd(26)} ${status} after ${accept}, completed after ${complete}`;
}

async function main(): Promise<void> {
  const { API_URL = '', API_TOKEN = '' } = { ...(await readEnvironmentFile(ENVIRONMENT_FILE)), ...process.env };
  if (API_URL === '' || API_TOKEN === '')
    throw new EnvironmentError('Set API_URL and API_TOKEN, or run `npm start` first.');
  await walk({ apiUrl: API_URL, token: API_TOKEN, report: (line) => print(visible(line)) });
}

if (import.meta.main) runProcess(main);
