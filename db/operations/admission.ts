import type { Compilable, Updateable } from 'kysely';
import type { BillingChange, BillingChangeKind } from '../../domain/billing.ts';
import type { Admitted, Decision, Fence, RejectionReason } from '../../domain/decision.ts';
import { decisionSchema } from '../../domain/decision.ts';
import type { HostChange } from '../../domain/host-protocol.ts';
import type { OperationId } from '../../domain/identifiers.ts';
import type { Operation } from '../../domain/operation.ts';
import type { PoolShareRules } from '../../domain/pool-share.ts';
import { queryLimit } from '../bounded.ts';
import type { Database } from '../database.ts';
import type { RegionRecord } from '../regions.ts';
import type { ActionStatus, ActionType, AddressesTable } from '../schema.ts';
import { statement } from '../statement.ts';
import { type RowsOf, rowsOfEach } from '../together.ts';
import { inTwoRoundTrips, type TransactionEnd } from '../transaction.ts';
import { admissionQueries, numbered } from './admission-writes.ts';
import { awaitedCommands, type NewHostCommand } from './host-command-writes.ts';
import { effectiveTime, type LockedAddress, nextGeneration } from './locks.ts';

/*
 * How every operation is admitted: in one transaction of two round trips. The first reads and locks, and a pure decision
 * is made by what it finds; the second writes and commits, or rolls back.
 */

/** Rules that operations follow. */
export interface OperationRules {
  /** Rest of a released address, in seconds. */
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
  /** Whether its workflow is to be started by whoever looks into the outbox, should the caller not come to it. */
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
  /** What hosts are told of it. Those that are active are waited for. */
  commands: readonly NewHostCommand[];
  /** What billing is to hear of at once, of the first action. */
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

/**
 * Admits an operation as `decide` says by what `reads` have found; the first of them locks. Throws the database's own
 * errors, and {@link CommitInDoubtError} when it is not known whether it was admitted.
 */
export function admitBy<const Queries extends readonly [Compilable, ...Compilable[]]>(
  context: AdmissionContext,
  reads: Queries,
  decide: (rows: RowsOf<Queries>) => RejectionReason | Plan,
): Promise<AdmissionResult> {
  const { db, operation, mayBeRepeated } = context;
  // After the locks, so that what another try has committed is seen.
  const all = mayBeRepeated ? [...reads, decisionQuery(operation.id)] : reads;
  return inTwoRoundTrips<AdmissionResult>(db, all, (rows) => {
    const earlier = mayBeRepeated ? toDecision(rowsOfEach<[Compilable<DecisionRow>]>(rows.slice(-1))[0][0]) : null;
    if (earlier) return rollBack({ kind: 'repeated', decision: earlier });
    const plan = decide(rowsOfEach<Queries>(rows));
    if (typeof plan === 'string') return rollBack({ kind: 'rejected', reason: plan });
    if (isTooLate(operation, plan)) return rollBack({ kind: 'rejected', reason: 'expired' });
    const decision = decisionOf(operation, plan);
    return {
      kind: 'commit',
      writes: admissionQueries(context, plan, decision),
      result: (written) => admittedAs(plan, numbered(plan, decision, written)),
    };
  });
}

function rollBack(result: AdmissionResult): TransactionEnd<AdmissionResult> {
  return { kind: 'roll back', result };
}

/** Whoever started it has been told by then that it will not happen. */
function isTooLate({ admitBefore }: Operation, { changes: [{ address }] }: Plan): boolean {
  return admitBefore !== undefined && address.now.getTime() > Date.parse(admitBefore);
}

/** The decision without the numbers of its actions, which the database gives. */
function decisionOf({ id, accountId }: Operation, { changes, settled }: Plan): Admitted {
  const [own, ...others] = changes;
  const { address } = own;
  const hostCommands = changes.flatMap(({ commands }) => awaitedCommands(commands));
  const aboutOwn = (change: HostChange) =>
    hostCommands.filter((command) => command.change === change && command.address === address.address);
  return {
    kind: 'admitted',
    operationId: id,
    actionId: 0,
    startedAt: effectiveTime(address).toISOString(),
    address: address.address,
    region: address.region.slug,
    generation: nextGeneration(address),
    hostCommands,
    ...(others.length > 0 && { furtherFences: others.map((change) => unnumberedFence(change)) }),
    attachTo: aboutOwn('attach')[0]?.host ?? null,
    detachFrom: aboutOwn('detach').map(({ host }) => host),
    settled,
    billing: changes.flatMap((change) => unnumberedBilling(accountId, change)),
  };
}

function unnumberedFence({ address }: AddressChange): Fence {
  return { address: address.address, actionId: 0, generation: nextGeneration(address) };
}

function unnumberedBilling(accountId: number, { address, billing: kind }: AddressChange): BillingChange[] {
  if (kind === null) return [];
  return [
    {
      eventId: '',
      kind,
      accountId,
      address: address.address,
      region: address.region.slug,
      dropletId: null,
      actionId: 0,
      effectiveAt: effectiveTime(address).toISOString(),
    },
  ];
}

function admittedAs({ changes: [{ address }], accountUuid = null }: Plan, admitted: Admitted): AdmissionResult {
  const { id, region, dropletId } = address;
  return { kind: 'admitted', admitted, address: { id, region, dropletId, accountUuid } };
}

interface DecisionRow {
  verdict: string;
}

function decisionQuery(operationId: OperationId): Compilable<DecisionRow> {
  return statement<DecisionRow>`SELECT verdict FROM operations WHERE id = ${operationId}`;
}

function toDecision(row: DecisionRow | undefined): Decision | null {
  return row ? decisionSchema.parse(JSON.parse(row.verdict)) : null;
}

/** The stored decision of an operation, if it has one. */
export async function findDecision(db: Database, operationId: OperationId): Promise<Decision | null> {
  const { rows } = await db.executeQuery(decisionQuery(operationId), queryLimit());
  return toDecision(rows[0]);
}
