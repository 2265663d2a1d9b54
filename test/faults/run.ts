import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DEV_FOLDER, PROJECT_FOLDER } from '../../dev/environment/paths.ts';
import type { RunningProcess } from '../../dev/environment/processes.ts';
import {
  type ClientConfiguration,
  type ClientRecord,
  type Exchange,
  exchangeSchema,
  now,
  recordSchema,
} from './clients/record.ts';
import { type FaultEnvironment, REGION, startFaultEnvironment } from './environment.ts';
import type { Crash } from './faults/crash.ts';
import { type FaultLog, repairAll, startFaults } from './faults/index.ts';
import { type GroundTruth, readGroundTruth } from './ground-truth.ts';
import { toHistory } from './histories/history.ts';
import { checkLinearizability, type LinearizabilityReport } from './linearizability.ts';
import { CRASH_STEPS } from './plan.ts';

const LANES = 2;
const LOOK_MS = 1_000;
const TRIES_TO_PROVE = 3;
/** The clients go on for as long as this, so that a run ends by itself however slow it is. */
const LONGEST_RUN_MS = 1_800_000;

/** How a run is made. */
export interface RunOptions {
  seed: number;
  /** Changes of addresses that are accepted at the least. */
  operations: number;
  /** Faults that are made at the least. */
  faults: number;
  /** Mean time from one fault to the next, in milliseconds. */
  paceMs: number;
  /** Client processes. */
  clients: number;
  /** Name of a folder below `.dev`, for logs, records and drawings. */
  folder: string;
  report(line: string): void;
  signal?: AbortSignal;
}

/** The outcome of a run. */
export interface RunResult {
  records: ClientRecord[];
  exchanges: Exchange[];
  faults: FaultLog;
  truth: GroundTruth;
  linearizability: LinearizabilityReport;
  /** Everything that must not be; empty when the run has passed. */
  problems: string[];
  /** How long the clients were at work, in milliseconds. */
  loadMs: number;
  /** How long it took afterwards until everything had ended and held, in milliseconds. */
  settlingMs: number;
}

/** Starts an environment, loads it, makes faults, and checks when the dust has settled. Leaves nothing running. */
export async function runFaults(options: RunOptions): Promise<RunResult> {
  const { folder, report, signal } = options;
  const records = join(DEV_FOLDER, folder, 'records');
  await rm(records, { recursive: true, force: true });
  await mkdir(records, { recursive: true });
  const environment = await startFaultEnvironment({ folder, report, ...(signal && { signal }) });
  try {
    return await runOn(environment, options, records);
  } finally {
    await environment.close();
  }
}

async function runOn(environment: FaultEnvironment, options: RunOptions, folder: string): Promise<RunResult> {
  const { seed, operations, faults: faultCount, paceMs, clients, report, signal } = options;
  const files = Array.from({ length: clients }, (_, number) => join(folder, `client-${number + 1}.jsonl`));
  const exchangesFiles = files.map((file) => file.replace('.jsonl', '.requests.jsonl'));
  const started = performance.now();
  const running = await Promise.all(
    files.map((recordsFile, number) =>
      startClient(environment, { seed, number, clients, recordsFile, exchangesFile: exchangesFiles[number] ?? '' }),
    ),
  );
  const ending = new AbortController();
  const faultsEnd = AbortSignal.any([ending.signal, ...(signal ? [signal] : [])]);
  const { log, finished } = startFaults({ environment, seed, paceMs, report, signal: faultsEnd });
  for (;;) {
    await sleep(LOOK_MS);
    const made = [...log.counts.values()].reduce((sum, count) => sum + count, 0);
    const accepted = await countAccepted(files);
    signal?.throwIfAborted();
    if (accepted >= operations && made >= faultCount) break;
    if (performance.now() - started < LONGEST_RUN_MS) continue;
    log.problems.push(`no more than ${accepted} operations and ${made} faults in ${LONGEST_RUN_MS / 60_000} minutes`);
    break;
  }
  ending.abort();
  await finished;
  const loadMs = performance.now() - started;
  await repairAll(environment);
  await Promise.all(running.map((client) => client.stop()));
  report('the faults are over, and the clients have ended');

  const truth = await readGroundTruth(environment, signal);
  const settlingMs = performance.now() - started - loadMs;
  const recorded = (await readLinesOf(files)).map((line) => recordSchema.parse(JSON.parse(line)));
  const exchanges = (await readLinesOf(exchangesFiles)).map((line) => exchangeSchema.parse(JSON.parse(line)));
  const history = toHistory(recorded, truth.actions, now());
  const linearizability = await checkLinearizability(environment.tools.checker, history.operations, folder);
  const problems = [
    ...log.problems,
    ...unprovenSteps(log.crashes),
    ...environment.running.deaths.map(({ message }) => message),
    ...history.complaints,
    ...truth.problems,
    ...linearizability.failures.map(
      ({ address, result, unexplained, picture }) =>
        `${address} is not linearizable (${result}): ${unexplained}; ${picture}`,
    ),
  ];
  return { records: recorded, exchanges, faults: log, truth, linearizability, problems, loadMs, settlingMs };
}

function startClient(
  environment: FaultEnvironment,
  {
    seed,
    number,
    clients,
    recordsFile,
    exchangesFile,
  }: { seed: number; number: number; clients: number; recordsFile: string; exchangesFile: string },
): Promise<RunningProcess> {
  const { accounts } = environment;
  const account = accounts[number % accounts.length];
  if (!account) throw new Error('there is no account');
  const configuration: ClientConfiguration = {
    seed,
    firstClient: number * LANES,
    lanes: LANES,
    urls: Object.values(environment.gatewayUrls),
    region: REGION,
    account,
    share: {
      index: Math.floor(number / accounts.length),
      of: Math.ceil((clients - (number % accounts.length)) / accounts.length),
    },
    recordsFile,
    exchangesFile,
  };
  return environment.processes.start({
    name: `client-${number + 1}`,
    role: 'application',
    command: process.execPath,
    arguments: [join(PROJECT_FOLDER, 'test/faults/clients/main.ts'), JSON.stringify(configuration)],
    stopTimeoutMs: 90_000,
  });
}

async function readLines(file: string): Promise<string[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.split('\n').filter((line) => line !== '');
}

async function readLinesOf(files: string[]): Promise<string[]> {
  return (await Promise.all(files.map(readLines))).flat();
}

async function countAccepted(files: string[]): Promise<number> {
  return (await readLinesOf(files)).filter((line) => line.includes('"outcome":{"kind":"accepted"')).length;
}

/** A step in which processes were killed again and again, and never one that left what the step leaves. */
function unprovenSteps(crashes: Crash[]): string[] {
  return CRASH_STEPS.filter((step) => {
    const made = crashes.filter((crash) => crash.step === step);
    return made.length >= TRIES_TO_PROVE && !made.some(({ proven }) => proven);
  }).map((step) => `no crash was found to have been in the step ${step}`);
}
