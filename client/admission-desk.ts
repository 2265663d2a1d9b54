import type { OperationId } from '../domain/identifiers.ts';
import type { AddressOperation, Operation } from '../domain/operation.ts';
import type { Verdict } from '../domain/verdict.ts';

/** `fenced`: an operation has it. `foreign`: the account does not hold it, or not any more. */
export type AddressStanding = 'idle' | 'fenced' | 'foreign';

/** What a starter with a database at hand can do by itself, without waiting for a worker. */
export interface AdmissionDesk {
  /**
   * Decides, or answers the verdict that is stored already. Nothing is written before `started` resolves, nor at all
   * when it rejects, whose error is then thrown.
   */
  admit(operation: Operation, started: Promise<unknown>): Promise<Verdict>;
  /** Refuses for good unless there is a verdict already; answers the one that stands. */
  seal(operation: Operation): Promise<Verdict>;
  findVerdict(operationId: OperationId): Promise<Verdict | null>;
  /** How the address of an operation stands with its account now. */
  standing(operation: AddressOperation): Promise<AddressStanding>;
}
