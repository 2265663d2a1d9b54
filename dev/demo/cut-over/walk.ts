import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { readHistory } from '../../../edge/flags/flag-file.ts';
import type { RunningProcess } from '../../environment/processes.ts';
import { sum } from '../../kit/statistics.ts';
import { checkConsistencyByCommand, checkReceived, checkTold } from './checks.ts';
import { LIBRARIES, type PlannedCustomer, type Told, toldBy } from './clients/record.ts';
import { startWalkEnvironment, type WalkEnvironment } from './environment.ts';
import { joinRequests } from './join.ts';
import { readClientLines, readForwarded } from './logs.ts';
import { type HeldStep, measureStep, type StepResult, TAKEN_OVER_WITHIN_MS } from './measure.ts';
import { readSplit, splitBetween } from './metrics.ts';
import { type Moved, movedBy, movedByPercentage } from './moved.ts';
import type { MadeCustomer } from './population.ts';
import { STEPS } from './steps.ts';

/** Accounts of the company itself. */
const OWN_ACCOUNTS = 3;

/** How a walk is made. */
export interface WalkOptions {
  customers: number;
  /** How long each step lasts, in milliseconds; more than the second in which a flip takes effect. */
  stepMs: number;
  /** Time from one request of a customer to the next, in milliseconds. */
  beatMs: number;
  /** One request of so many is a change, as long as none is on its way. */
  changeEvery: number;
  seed: number;
  /** Name of a folder below `.dev` for logs. */
  folder: string;
  /** Progress, for the person who waits. */
  report(line: string): void;
  /** A step as soon as it has been measured. */
  onStep(result: StepResult): void;
  signal: AbortSignal;
}

/** The outcome of a walk. */
export interface WalkResult {
  steps: StepResult[];
  requests: number;
  failed: number;
  /** What customers were told, all together. */
  told: Told;
  /** Beats at which a customer still waited for the answer to the one before. */
  missedBeats: number;
  /** Everything that must not be; empty when the walk has passed. */
  problems: string[];
}

/** Starts everything, walks all steps under load, and checks. Leaves nothing running. */
export async function walk(options: WalkOptions): Promise<WalkResult> {
  const environment = await startWalkEnvironment(options);
  try {
    return await walkOn(environment, options);
  } finally {
    await environment.close();
  }
}

async function walkOn(environment: WalkEnvironment, options: WalkOptions): Promise<WalkResult> {
  const { beatMs, changeEvery, seed, report, signal } = options;
  const { own, planned } = planCustomers(environment.customers);
  const gateways = environment.gateways.map(({ url }) => url);
  const clients = await Promise.all(
    LIBRARIES.map((library, index) => {
      const customers = planned.filter((_, number) => number % LIBRARIES.length === index);
      return environment.startClients({ library, gateways, beatMs, changeEvery, seed, customers });
    }),
  );
  const clientLogs = clients.map(({ logFile }) => logFile);
  const { steps } = await walkSteps(environment, options, own, clientLogs);
  await stopAll(clients);
  report('The clients have ended; what they were told is compared with what is so');

  const lines = await readClientLines(clientLogs);
  const requests = lines.flatMap((line) => (line.kind === 'request' ? [line] : []));
  const ends = lines.flatMap((line) => (line.kind === 'end' ? [line] : []));
  const forwarded = await readForwarded(gatewayLogs(environment));
  const failed = requests.filter(({ problem }) => problem !== null);
  const problems = [
    ...failed.map(({ accountId, codePath, problem }) => `${codePath} of account ${accountId} failed: ${problem}`),
    ...environment.deaths.map(({ message }) => message),
    ...steps.flatMap((step) => step.problems),
    ...environment.customers
      .filter(({ accountId }) => !ends.some((end) => end.accountId === accountId))
      .map(({ accountId }) => `the client of account ${accountId} did not come to its end`),
    ...joinRequests(requests, forwarded).problems,
    ...(await checkReceived(environment, forwarded)),
    ...(await checkTold(environment, ends, signal)),
  ];
  report('npm run consistency');
  problems.push(...(await checkConsistencyByCommand(environment)));
  return {
    steps,
    requests: requests.length,
    failed: failed.length,
    told: toldBy((type) => sum(ends.map(({ told }) => told[type]))),
    missedBeats: sum(ends.map((end) => end.missedBeats)),
    problems,
  };
}

/**
 * Says who is the company's own, and when in its beat each customer sends its requests: those whom one step moves are spread
 * evenly, so that after each flip somebody whom it moves comes soon.
 */
function planCustomers(customers: readonly MadeCustomer[]): { own: number[]; planned: PlannedCustomer[] } {
  const [five, fifty] = [movedByPercentage(5), movedByPercentage(50)];
  const last = customers.filter(({ accountId }) => !fifty(accountId));
  const own = last.slice(0, OWN_ACCOUNTS);
  const first = customers.filter(({ accountId }) => five(accountId));
  if (own.length < OWN_ACCOUNTS || first.length === 0) {
    throw new Error(`${customers.length} customers are too few: nobody is among the first 5 %`);
  }
  const middle = customers.filter((one) => fifty(one.accountId) && !first.includes(one));
  const groups = [own, first, middle, last.filter((one) => !own.includes(one))];
  const planned = groups.flatMap((group) => group.map((one, index) => ({ ...one, phase: index / group.length })));
  return { own: own.map(({ accountId }) => accountId), planned };
}

async function walkSteps(
  environment: WalkEnvironment,
  { stepMs, onStep, report, signal }: WalkOptions,
  own: readonly number[],
  clientLogs: readonly string[],
): Promise<{ steps: StepResult[] }> {
  const metricsUrls = environment.gateways.map(({ metricsUrl }) => metricsUrl);
  const steps: StepResult[] = [];
  let held: Omit<HeldStep, 'to'> | null = null;
  let movedBefore: Moved = () => false;
  async function measureHeld(to: number): Promise<void> {
    if (!held) return;
    const forwarded = await readForwarded(gatewayLogs(environment));
    const requests = (await readClientLines(clientLogs)).flatMap((line) => (line.kind === 'request' ? [line] : []));
    const result = measureStep({ ...held, to }, joinRequests(requests, forwarded).joined, forwarded);
    steps.push(result);
    onStep(result);
  }
  for (const { name, flip } of STEPS) {
    const options = flip(own.map(String));
    await environment.command('flip', ...options);
    const from = Date.parse((await readHistory(environment.flagFile)).at(-1)?.at ?? '');
    const moved = movedBy(await readFile(environment.flagFile, 'utf8'));
    await measureHeld(from);
    await sleep(from + TAKEN_OVER_WITHIN_MS - Date.now(), null, { signal });
    const before = await readSplit(metricsUrls);
    await sleep(from + stepMs - Date.now(), null, { signal });
    const split = splitBetween(before, await readSplit(metricsUrls));
    const wasMoved = movedBefore;
    const movesSomebody = environment.customers.some(({ accountId }) => moved(accountId) !== wasMoved(accountId));
    held = { name, command: `npm run flip -- ${options.join(' ')}`, from, movedBefore, moved, movesSomebody, split };
    movedBefore = moved;
    if (environment.deaths.length > 0) break;
  }
  await measureHeld(Date.now());
  report('The last step is over');
  return { steps };
}

async function stopAll(clients: readonly RunningProcess[]): Promise<void> {
  await Promise.all(clients.map((client) => client.stop()));
}

function gatewayLogs({ gateways }: WalkEnvironment): string[] {
  return gateways.map(({ logFile }) => logFile);
}
