import type { Updateable } from 'kysely';
import type { BillingChangeKind } from '../../domain/billing.ts';
import type { Admitted, Decision, RejectionReason } from '../../domain/decision.ts';
import type { Operation } from '../../domain/operation.ts';
import type { PoolShareRules } from '../../domain/pool-share.ts';
import type { Database } from '../database.ts';
import type { RegionRecord } from '../regions.ts';
import type { ActionStatus, ActionType, AddressesTable } from '../schema.ts';
import type { NewHostCommand } from './host-command-writes.ts';
import type { LockedAddress } from './locks.ts';

/*
 * What an operation is admitted with, what it plans to change, and its outcome.
 */

/** Rules that operations follow. */
export interface OperationRules {
  /** Quarantine of a released address, in seconds. */
  quarantineSeconds: number;
  /** How much of a pool one account may take. */
  poolShare: PoolShareRules;
}

/** What every operation is admitted with. */
export interface AdmissionContext<Kind extends Operation = Operation> {
  db: Database;
  operation: Kind;
  rules: OperationRules;
  /** The operation may have been admitted before, under the same id: then that stands. */
  mayBeRepeated: boolean;
  /** Whether the outbox is to start its workflow, should the caller not do so. */
  viaOutbox: boolean;
}

/** What the caller need not read again of an address that was just admitted. */
export interface AdmittedAddress {
  id: number;
  region: RegionRecord;
  /** The droplet that it was on. */
  dropletId: number | null;
  /** Of the account that reserved it; null for other operations. */
  accountUuid: string | null;
}

/** What an operation came to. */
export type AdmissionResult =
  | { kind: 'admitted'; admitted: Admitted; address: AdmittedAddress }
  /** It was decided before, under the same id. */
  | { kind: 'repeated'; decision: Decision }
  | { kind: 'rejected'; reason: RejectionReason };

/** An action that an operation begins, or that is over with its admission. */
export interface NewAction {
  type: ActionType;
  status: ActionStatus;
  dropletId: number | null;
  previousDropletId: number | null;
}

/** One address that an operation changes. */
export interface AddressChange {
  address: LockedAddress;
  /** The last one holds the fence; one before it is over with the admission. */
  actions: readonly NewAction[];
  /** Of the address, besides its action and generation. */
  changes: Updateable<AddressesTable>;
  /** The commands for hosts. The operation waits for those of active hosts. */
  commands: readonly NewHostCommand[];
  /** The billing event of the first action, which is published at once. */
  billing: BillingChangeKind | null;
}

/** What an operation that is admitted changes. */
export interface Plan {
  /** First the address that the operation is named by, for its owner and for its workflow. All are of one region. */
  changes: readonly [AddressChange, ...AddressChange[]];
  /** Nothing is left to wait for or to settle, so no fence is taken. */
  settled: boolean;
  /** The droplet that is destroyed with it, if one is; `isLast` says that it is gone, for nothing else stays on it. */
  destroys: { dropletId: number; isLast: boolean } | null;
  /** Of an account that reserves. */
  accountUuid?: string | null;
}
