import type { Updateable } from 'kysely';
import type { BillingChangeKind } from '../../domain/billing.ts';
import type { Operation } from '../../domain/operation.ts';
import type { DatabaseTransaction } from '../database.ts';
import type { AddressesTable } from '../schema.ts';
import type { Statement } from '../statement.ts';
import type { FencedAddress } from './fence.ts';
import type { Move } from './host-command-writes.ts';
import type { AdmissionContext, AdmissionResult, OperationRules } from './plan.ts';

/** What one kind of operation writes; each has it in a module of its own. */
export interface OperationWrites<OfKind extends Operation> {
  /** Decides whether the operation may happen, and admits it, by `admitBy`. */
  admit(context: AdmissionContext<OfKind>): Promise<AdmissionResult>;
  /**
   * What settling assigns in each of its rows of `addresses`, joined with the row of `actions` that holds the fence, besides
   * fence and time. Where it changes several addresses, none is on a droplet at that moment.
   */
  settledColumns(operation: OfKind, rules: OperationRules): Statement<unknown>;
  /** The billing event of a settled action; null when the admission has published all there is. */
  billing(action: { dropletId: number | null; previousDropletId: number | null }): SettledBilling | null;
  /** How it is undone and taken up again; null for one that is final. */
  reversal: Reversal | null;
}

export interface SettledBilling {
  kind: BillingChangeKind;
  dropletId: number | null;
}

/** What an undo or a reopening writes of one address, and how the address moves for its hosts. */
export interface Reversed {
  changes: Updateable<AddressesTable>;
  move: Move;
}

/** How a kind of operation is undone, and taken up again when its run was reset; asked for each of its addresses. */
export interface Reversal {
  undo(fenced: FencedAddress): Reversed;
  /** Throws a {@link FinalStepError} when the operation cannot happen any more; `all` are its addresses. */
  reopen(tx: DatabaseTransaction, fenced: FencedAddress, all: readonly FencedAddress[]): Promise<Reversed>;
}
