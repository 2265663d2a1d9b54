import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { z } from 'zod';
import type { Database } from '../../db/database.ts';
import { readOutboxState } from '../../db/outbox.ts';
import type { Environment } from '../../dev/kit/environment.ts';
import { Http } from '../../dev/kit/http.ts';
import { until } from '../../dev/kit/until.ts';
import { checkConsistency } from '../../ops/consistency/check.ts';
import { describeViolation } from '../../ops/consistency/violation.ts';
import { type AwayEnvironment, type Mode, startAwayEnvironment } from './environment.ts';
import { Load, type Rates, type SentRequest, stockFor } from './load.ts';
import { Customer } from './population.ts';

const CUSTOMERS = 4;
const WATCH_MS = 250;
/** Longest wait for what must complete by itself, before the run gives up. */
const COMPLETE_WITHIN_MS = 120_000;

/** How a run is made. */
export interface AwayOptions {
  modes: readonly Mode[];
  rates: Rates;
  /** How long Temporal is away in each mode, in milliseconds. */
  awayMs: number;
  /** How long the same load runs before that, in milliseconds. */
  healthyMs: number;
  /** Name of a folder below `.dev`, for logs. */
  folder: string;
  report(line: string): void;
  /** Stops everything when it is aborted; the run then fails. */
  signal?: AbortSignal;
}

/** What was seen of one mode. */
export interface ModeResult {
  mode: Mode;
  before: readonly SentRequest[];
  during: readonly SentRequest[];
  /** Each answer of /readyz while Temporal was away. */
  readiness: Readiness[];
  /** Most operations in the outbox at a time. */
  outboxPeak: number;
  /** Actions in progress when Temporal returned. */
  openAtReturn: number;
  /** From the moment at which Temporal answered again until every action was completed, in milliseconds. */
  completedAfterMs: number;
  /** Actions that customers see in any other state in the end. */
  notCompleted: number;
}

/** The outcome of a run. */
export interface AwayResult {
  rates: Rates;
  modes: ModeResult[];
  /** What the consistency check finds in the end. */
  violations: string[];
  /** Processes that ended by themselves. */
  deaths: string[];
}

const readinessSchema = z.object({ status: z.string(), checks: z.object({ mysql: z.string(), temporal: z.string() }) });

/** An answer of /readyz. */
export interface Readiness {
  httpStatus: number;
  status: string;
}

/** Starts an installation, loads it, takes Temporal away in each mode and brings it back. Leaves nothing running. */
export async function runAway(options: AwayOptions): Promise<AwayResult> {
  const { modes, rates, awayMs, healthyMs, folder, report, signal } = options;
  const environment = await startAwayEnvironment({ folder, report, signal });
  try {
    const { running } = environment;
    const db = running.openDatabase(2);
    const customers: Customer[] = [];
    while (customers.length < CUSTOMERS) {
      customers.push(new Customer(await running.operator.makeAccount(`customer-${customers.length + 1}`)));
    }
    const stock = stockFor((rates.writes * Math.max(awayMs, healthyMs)) / 1_000, CUSTOMERS);
    const results: ModeResult[] = [];
    for (const mode of modes) {
      signal?.throwIfAborted();
      report('preparing addresses and droplets');
      await Promise.all(customers.map((customer) => customer.prepare(stock)));
      results.push(await runMode({ environment, db, customers, mode, options }));
    }
    report('looking for violations');
    return {
      rates,
      modes: results,
      violations: await findViolations(running, db),
      deaths: running.deaths.map(({ message }) => message),
    };
  } finally {
    await environment.close();
  }
}

interface ModeRun {
  environment: AwayEnvironment;
  db: Database;
  customers: readonly Customer[];
  mode: Mode;
  options: AwayOptions;
}

async function runMode({ environment, db, customers, mode, options }: ModeRun): Promise<ModeResult> {
  const { rates, awayMs, healthyMs, report } = options;
  const rested = async () => {
    await allCompleted(db);
    await Promise.all(customers.map((customer) => customer.readStock()));
  };
  await rested();
  report(`${mode}: the load begins, with Temporal`);
  const before = new Load(customers);
  await before.run(rates, healthyMs);
  await rested();

  const during = new Load(customers);
  const watch = new Watch(environment.running.apiUrl, db);
  await environment.takeTemporal(mode);
  report(`${mode}: Temporal is away`);
  watch.start();
  await during.run(rates, awayMs);
  await watch.stop();
  const openAtReturn = await countOpen(db);
  await environment.returnTemporal(mode);
  const returnedAt = performance.now();
  report(`${mode}: Temporal is back, ${openAtReturn} actions are in progress`);
  await allCompleted(db);
  const completedAfterMs = performance.now() - returnedAt;
  report(`${mode}: everything was completed after ${(completedAfterMs / 1_000).toFixed(1)} s`);
  const actions = (await Promise.all(customers.map((customer) => customer.listActions()))).flat();
  return {
    mode,
    before: before.requests,
    during: during.requests,
    readiness: watch.readiness,
    outboxPeak: watch.outboxPeak,
    openAtReturn,
    completedAfterMs,
    notCompleted: actions.filter(({ status }) => status !== 'completed').length,
  };
}

/** Looks at the outbox and at /readyz while Temporal is away. */
class Watch {
  readonly readiness: Readiness[] = [];
  outboxPeak = 0;
  readonly #http: Http;
  readonly #db: Database;
  #stopping = false;
  #running: Promise<void> = Promise.resolve();

  constructor(apiUrl: string, db: Database) {
    this.#http = new Http(apiUrl, null);
    this.#db = db;
  }

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      const answer = await this.#http.get('/readyz');
      const { status } = readinessSchema.parse(answer.body);
      this.readiness.push({ httpStatus: answer.status, status });
      this.outboxPeak = Math.max(this.outboxPeak, (await readOutboxState(this.#db)).waiting);
      await sleep(WATCH_MS);
    }
  }
}

async function countOpen(db: Database): Promise<number> {
  const { open } = await db
    .selectFrom('actions')
    .where('status', '=', 'in-progress')
    .select(({ fn }) => fn.countAll<number>().as('open'))
    .executeTakeFirstOrThrow();
  return Number(open);
}

async function allCompleted(db: Database): Promise<void> {
  const isDone = async () => (await countOpen(db)) === 0;
  await until('every action was completed', isDone, COMPLETE_WITHIN_MS);
}

async function findViolations(running: Environment, db: Database): Promise<string[]> {
  const kafka = { brokers: running.servers.kafkaBrokers.split(',') };
  const temporal = await running.openTemporal();
  const violations = await checkConsistency({ db, temporal, kafka, logger: pino({ level: 'silent' }), looks: 10 });
  return violations.map(describeViolation);
}
