import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { Logger } from 'pino';
import { v7 as uuidv7 } from 'uuid';
// Outside of this repository: 'reserved-ip-client'.
import { type OperationHandle, OperationUnavailableError, type ReservedIpClient } from '../../client/index.ts';
import type { HealthChecks } from './health.ts';
import type { State, StateFile, Step } from './state.ts';

/** What a {@link Controller} works with. */
export interface ControllerOptions {
  reservedIps: ReservedIpClient;
  health: HealthChecks;
  stateFile: StateFile;
  accountId: number;
  /** Where the address is reserved. */
  region: string;
  /** An address that the account holds already; null to reserve one. */
  reservedIp: string | null;
  logger: Logger;
}

/**
 * Keeps one reserved address on a load balancer that is well. It takes one step at a time, and writes each down before
 * it starts it. When it is killed, or a step's answer is lost, it starts the same step again under the same id: Temporal
 * and the control plane carry out one operation for one id, and give each who asks the same decision.
 */
export class Controller {
  readonly #options: ControllerOptions;
  #state: State;

  /** Throws when the state file cannot be read, or is about another address than the one that is given. */
  constructor(options: ControllerOptions) {
    this.#options = options;
    const { reservedIp, stateFile } = options;
    const kept = stateFile.read();
    if (kept?.address && reservedIp && kept.address !== reservedIp) {
      throw new Error(`the state file is about ${kept.address}, and not about ${reservedIp}`);
    }
    this.#state = kept ?? { address: reservedIp, activeDropletId: null, pending: null, phase: 'keeping' };
  }

  /** Whether the address was given back, after which there is nothing to do. */
  get released(): boolean {
    return this.#state.phase === 'released';
  }

  /** Has the address given back in the next round. */
  release(): void {
    if (this.#state.phase === 'keeping') this.#note({ phase: 'releasing' });
  }

  /** Looks at the nodes and takes the step that is due, if any. Does not throw: the next round tries again. */
  async round(): Promise<void> {
    const { health, logger } = this.#options;
    await health.check();
    const step = this.#state.pending ?? this.#nextStep();
    if (step === null) return;
    try {
      await this.#take(step);
    } catch (error) {
      // It may have been carried out or not. It stays in the state, and the next round repeats it.
      logger.warn({ err: error, step }, 'the outcome of the step is not known');
    }
  }

  #nextStep(): Step | null {
    const { health } = this.#options;
    const { address, activeDropletId, phase } = this.#state;
    const operationId = uuidv7();
    if (phase === 'released') return null;
    if (phase === 'releasing' && address !== null) return { kind: 'release', operationId };
    if (phase === 'releasing') {
      this.#note({ phase: 'released' });
      return null;
    }
    if (address === null) return { kind: 'reserve', operationId };
    if (activeDropletId !== null && !health.isDown(activeDropletId)) return null;
    const node = health.firstWell();
    // With no node that is well the address stays where it is: nothing would be gained.
    if (node === null || node.dropletId === activeDropletId) return null;
    return { kind: 'assign', operationId, dropletId: node.dropletId };
  }

  async #take(step: Step): Promise<void> {
    const { logger } = this.#options;
    this.#note({ pending: step });
    logger.info({ step }, 'the step begins');
    try {
      const handle = await this.#start(step);
      logger.info({ decision: handle.decision }, 'the operation is decided');
      const outcome = await handle.completed();
      if (outcome.kind === 'completed') this.#note({ ...effectOf(step, outcome.address), pending: null });
      else this.#note({ ...effectOfRejected(step, outcome.refusal), pending: null });
    } catch (error) {
      if (!isOver(error)) throw error;
      logger.warn({ err: error, step }, 'the step did not happen');
      this.#note({ pending: null });
    }
    logger.info({ state: this.#state }, 'the step is over');
  }

  #start(step: Step): Promise<OperationHandle> {
    const { reservedIps, accountId, region } = this.#options;
    const { operationId } = step;
    if (step.kind === 'reserve') {
      return reservedIps.reserve({ accountId, operationId, target: { region, dropletId: null } });
    }
    const { address } = this.#state;
    if (address === null) throw new Error('there is no address yet');
    return step.kind === 'assign'
      ? reservedIps.assign({ accountId, operationId, address, dropletId: step.dropletId })
      : reservedIps.release({ accountId, operationId, address });
  }

  #note(change: Partial<State>): void {
    this.#state = { ...this.#state, ...change };
    this.#options.stateFile.write(this.#state);
  }
}

/**
 * Whether the operation will come to nothing, so that the next round decides again: it was never admitted, or was undone
 * because no host took it. One that an operator terminated is not over: started again, it goes on.
 */
function isOver(error: unknown): boolean {
  if (error instanceof OperationUnavailableError) return true;
  return error instanceof WorkflowFailedError && error.cause instanceof ApplicationFailure;
}

/** What is so when the step has completed. */
function effectOf(step: Step, address: string): Partial<State> {
  switch (step.kind) {
    case 'reserve':
      return { address };
    case 'assign':
      return { activeDropletId: step.dropletId };
    case 'release':
      return { phase: 'released' };
  }
}

/** A rejection changes nothing, but two of them say that what was asked for is so already. */
function effectOfRejected(step: Step, rejection: string): Partial<State> {
  if (step.kind === 'assign' && rejection === 'already_assigned') return { activeDropletId: step.dropletId };
  if (step.kind === 'release' && rejection === 'address_not_found') return { phase: 'released' };
  return {};
}
