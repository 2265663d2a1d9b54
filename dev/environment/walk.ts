import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { ENVIRONMENT_FILE, readEnvironmentFile } from '../../platform/env-file.ts';
import { print, printError, printUncaughtErrors } from '../../platform/text/print.ts';
import { shown, visible } from '../../platform/text/visible.ts';
import { messageOf, StackError } from './errors.ts';
import { expectStatus, type JsonAnswer, send } from './http.ts';

printUncaughtErrors();

const POLL_MS = 10;
const COMPLETION_TIMEOUT_MS = 60_000;

const actionSchema = z.object({ id: z.number(), status: z.string(), type: z.string() });
const actionAnswer = z.object({ action: actionSchema });
const actionsAnswer = z.object({ actions: z.array(actionSchema) });
const reservedIpAnswer = z.object({ reserved_ip: z.object({ ip: z.string() }) });
const dropletSchema = z.object({ id: z.number(), name: z.string(), region: z.object({ slug: z.string() }) });
const dropletsAnswer = z.object({ droplets: z.array(dropletSchema) });

type Action = z.infer<typeof actionSchema>;
type Droplet = z.infer<typeof dropletSchema>;

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
 * @throws {StackError} when a request is refused, or an action ends `errored` or does not end within a minute.
 */
export async function walk(options: WalkOptions): Promise<WalkStep[]> {
  const { apiUrl, token, report = () => {} } = options;
  const [first, second] = await twoDropletsOfOneRegion(apiUrl, token);
  const steps: WalkStep[] = [];
  const take = async (name: string, step: () => Promise<{ answer: JsonAnswer; completed: () => Promise<void> }>) => {
    const started = performance.now();
    const { answer, completed } = await step();
    await completed();
    const taken = { name, acceptMs: answer.milliseconds, completeMs: performance.now() - started };
    steps.push(taken);
    report(describe(taken, answer.status));
  };
  let address = '';
  const addressUrl = () => `${apiUrl}/v2/reserved_ips/${address}`;
  const act = (body: unknown) => async () => {
    const answer = await expectStatus({ method: 'POST', url: `${addressUrl()}/actions`, token, body }, 201);
    const { action } = actionAnswer.parse(answer.body);
    return { answer, completed: () => untilCompleted(`${addressUrl()}/actions/${action.id}`, token) };
  };

  await take(`reserve in ${first.region.slug}`, async () => {
    const body = { region: first.region.slug };
    const answer = await expectStatus({ method: 'POST', url: `${apiUrl}/v2/reserved_ips`, token, body }, 202);
    address = reservedIpAnswer.parse(answer.body).reserved_ip.ip;
    return { answer, completed: () => untilAllCompleted(`${addressUrl()}/actions`, token) };
  });
  report(`  the address is ${address}`);
  await take(`assign to ${first.name}`, act({ type: 'assign', droplet_id: first.id }));
  await take(`reassign to ${second.name}`, act({ type: 'assign', droplet_id: second.id }));
  await take('unassign', act({ type: 'unassign' }));
  await take('release', async () => {
    const answer = await expectStatus({ method: 'DELETE', url: addressUrl(), token }, 204);
    return { answer, completed: () => untilGone(addressUrl(), token) };
  });
  return steps;
}

async function twoDropletsOfOneRegion(apiUrl: string, token: string): Promise<[Droplet, Droplet]> {
  const listing = await expectStatus({ method: 'GET', url: `${apiUrl}/v2/droplets?per_page=200`, token }, 200);
  const taken = z
    .object({ reserved_ips: z.array(z.object({ droplet: z.object({ id: z.number() }).nullable() })) })
    .parse((await expectStatus({ method: 'GET', url: `${apiUrl}/v2/reserved_ips?per_page=200`, token }, 200)).body);
  const occupied = new Set(taken.reserved_ips.map((reserved) => reserved.droplet?.id));
  const free = dropletsAnswer.parse(listing.body).droplets.filter((droplet) => !occupied.has(droplet.id));
  for (const first of free) {
    const second = free.find((other) => other.id !== first.id && other.region.slug === first.region.slug);
    if (second !== undefined) return [first, second];
  }
  throw new StackError('The walk needs two droplets in one region that have no reserved IP; there are none.');
}

async function untilCompleted(url: string, token: string): Promise<void> {
  await poll(url, async () => {
    const { action } = actionAnswer.parse((await expectStatus({ method: 'GET', url, token }, 200)).body);
    return hasCompleted(action);
  });
}

async function untilAllCompleted(url: string, token: string): Promise<void> {
  await poll(url, async () => {
    const { actions } = actionsAnswer.parse((await expectStatus({ method: 'GET', url, token }, 200)).body);
    return actions.every(hasCompleted);
  });
}

async function untilGone(url: string, token: string): Promise<void> {
  await poll(url, async () => (await send({ method: 'GET', url, token })).status === 404);
}

function hasCompleted(action: Action): boolean {
  if (action.status === 'errored') throw new StackError(`action ${action.id} (${action.type}) ended as errored`);
  return action.status === 'completed';
}

async function poll(url: string, isDone: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + COMPLETION_TIMEOUT_MS;
  while (!(await isDone())) {
    if (performance.now() > deadline) throw new StackError(`${url} did not get to its end within a minute`);
    await sleep(POLL_MS);
  }
}

function describe(step: WalkStep, status: number): string {
  const accept = `${Math.round(step.acceptMs)} ms`.padStart(7);
  const complete = `${Math.round(step.completeMs)} ms`.padStart(8);
  return `  ${step.name.padEnd(26)} ${status} after ${accept}, completed after ${complete}`;
}

if (import.meta.main) {
  const { API_URL = '', API_TOKEN = '' } = { ...(await readEnvironmentFile(ENVIRONMENT_FILE)), ...process.env };
  try {
    if (API_URL === '' || API_TOKEN === '')
      throw new StackError('Set API_URL and API_TOKEN, or run `npm start` first.');
    await walk({ apiUrl: API_URL, token: API_TOKEN, report: (line) => print(visible(line)) });
  } catch (error) {
    printError(error instanceof StackError ? error.message : shown`The walk failed: ${messageOf(error)}`);
    process.exitCode = 1;
  }
}
