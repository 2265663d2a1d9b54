import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import type { Logger } from 'pino';
import { type OperationWorkflow, startOptions } from '../client/start-options.ts';
import type { Database } from '../db/database.ts';
import { removeFromOutbox } from '../db/outbox.ts';
import type { Admitted } from '../domain/decision.ts';
import type { OperationId } from '../domain/identifiers.ts';
import { type Operation, workflowIdOf } from '../domain/operation.ts';
import { OPERATION } from '../domain/search-attributes.ts';
import type { OperationTimeouts } from '../domain/timeouts.ts';

/** Options of {@link OperationStarter}. */
export interface OperationStarterOptions {
  db: Database;
  temporal: Client;
  logger: Logger;
  timeouts: OperationTimeouts;
  /** How long one start may take, in milliseconds; default 5,000, so that a slow Temporal is not taken for one that is away. */
  startMs?: number;
  /** How long a start is tried again while another run is closing, in milliseconds; default 3,000. */
  closingMs?: number;
  /** Most starts at a time; others are left in the outbox. Default 200. */
  mostAtATime?: number;
}

/** `left`: it stays in the outbox, for whoever looks there next. */
export type StartOutcome = { kind: 'started'; runId: string } | { kind: 'running' } | { kind: 'left' };

const CLOSING_PAUSE_MS = 20;
const LONGEST_CLOSING_PAUSE_MS = 250;
/** How long started operations are collected before they are taken out of the outbox together. */
const REMOVAL_PAUSE_MS = 150;
/** While Temporal is away one start at a time finds out whether it is back, and the next so long after it has failed. */
const AWAY_PAUSE_MS = 500;

/**
 * Starts the workflows of admitted operations, off the path of any request. Each is in the outbox until it is known to
 * have started, so whatever happens to this process, or to Temporal, loses nothing; starting one twice changes nothing.
 */
export class OperationStarter {
  readonly #options: Required<OperationStarterOptions>;
  #temporal: Client;
  #eager = false;
  readonly #inProgress = new Set<Promise<StartOutcome>>();
  #removable: OperationId[] = [];
  #removing: Promise<void> | null = null;
  #isAway = false;
  /** While Temporal is away: the one start that finds out whether it is back. */
  #probe: OperationId | null = null;
  #awayUntil = 0;

  constructor({ startMs = 5_000, closingMs = 3_000, mostAtATime = 200, ...options }: OperationStarterOptions) {
    this.#options = { startMs, closingMs, mostAtATime, ...options };
    this.#temporal = options.temporal;
  }

  /** From now on starts through a connection whose own process runs a worker, which is given the first task at once. */
  startEagerly(temporal: Client): void {
    this.#temporal = temporal;
    this.#eager = true;
  }

  /** The latest start failed, and none has succeeded since. */
  get isTemporalAway(): boolean {
    return this.#isAway;
  }

  /** Starts one operation; what cannot be started now stays in the outbox. Never throws. */
  start(operation: Operation, admitted: Admitted): Promise<StartOutcome> {
    if (this.#inProgress.size >= this.#options.mostAtATime) return Promise.resolve({ kind: 'left' });
    if (this.#isAway) {
      if (this.#probe !== null || performance.now() < this.#awayUntil) return Promise.resolve({ kind: 'left' });
      this.#probe = operation.id;
    }
    const starting = this.#start(operation, admitted);
    this.#inProgress.add(starting);
    void starting.finally(() => {
      this.#inProgress.delete(starting);
      if (this.#probe === operation.id) this.#probe = null;
    });
    return starting;
  }

  /** Takes an operation out of the outbox that needs no start any more, together with others. */
  remove(operationId: OperationId): void {
    this.#removable.push(operationId);
    this.#removing ??= sleep(REMOVAL_PAUSE_MS).then(() => this.#remove());
  }

  /** Waits for what is being started, and until the outbox knows. */
  async close(): Promise<void> {
    while (this.#inProgress.size > 0) await Promise.allSettled(this.#inProgress);
    while (this.#removing) await this.#removing;
  }

  async #start(operation: Operation, admitted: Admitted): Promise<StartOutcome> {
    const { closingMs } = this.#options;
    const deadline = performance.now() + closingMs;
    for (let pause = CLOSING_PAUSE_MS; ; pause = Math.min(2 * pause, LONGEST_CLOSING_PAUSE_MS)) {
      try {
        const runId = await this.#startOnce(operation, admitted);
        this.#becomePresent();
        this.remove(operation.id);
        return { kind: 'started', runId };
      } catch (error) {
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) {
          this.#becomeAway(error);
          return { kind: 'left' };
        }
      }
      // In the way is a run of an operation before, which has settled and is closing; or one of this very operation.
      if (pause > CLOSING_PAUSE_MS && (await this.#isRunning(operation))) {
        this.remove(operation.id);
        return { kind: 'running' };
      }
      if (performance.now() + pause > deadline) return { kind: 'left' };
      await sleep(pause);
    }
  }

  /** One line for an outage, however many operations wait for its end. */
  #becomeAway(error: unknown): void {
    if (!this.#isAway)
      this.#options.logger.warn({ err: error }, 'Temporal starts no workflow: they wait in the outbox');
    this.#isAway = true;
    this.#awayUntil = performance.now() + AWAY_PAUSE_MS;
  }

  #becomePresent(): void {
    if (this.#isAway) this.#options.logger.info('Temporal starts workflows again');
    this.#isAway = false;
    this.#awayUntil = 0;
  }

  async #startOnce(operation: Operation, admitted: Admitted): Promise<string> {
    const { timeouts } = this.#options;
    const options = { ...startOptions(operation, { admitted, patience: timeouts }), requestEagerStart: this.#eager };
    const { firstExecutionRunId } = await this.#bounded(() =>
      this.#temporal.workflow.start<OperationWorkflow>(operation.kind, options),
    );
    return firstExecutionRunId;
  }

  async #isRunning(operation: Operation): Promise<boolean> {
    const handle = this.#temporal.workflow.getHandle(workflowIdOf(operation));
    const described = await this.#bounded(() => handle.describe()).catch(() => null);
    return described?.typedSearchAttributes.get(OPERATION) === operation.id;
  }

  async #remove(): Promise<void> {
    const ids = this.#removable;
    this.#removable = [];
    try {
      await removeFromOutbox(this.#options.db, ids);
    } catch (error) {
      // Whoever looks into the outbox starts them again, which changes nothing.
      this.#options.logger.warn({ err: error, count: ids.length }, 'started operations stay in the outbox');
    }
    this.#removing = this.#removable.length > 0 ? this.#remove() : null;
  }

  /** The deadline alone does not end a call in time: while connections are refused, the SDK pauses between its tries. */
  async #bounded<Result>(call: () => Promise<Result>): Promise<Result> {
    const { startMs } = this.#options;
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => late.reject(new Error(`Temporal did not answer a start within ${startMs} ms`)),
      startMs,
    );
    const calling = this.#temporal.withDeadline(Date.now() + startMs, call);
    calling.catch(() => {});
    return Promise.race([calling, late.promise]).finally(() => clearTimeout(timer));
  }
}
