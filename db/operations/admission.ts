import type { Compilable } from 'kysely';
import type { BillingChange } from '../../domain/billing.ts';
import type { Admitted, Decision, Fence, RejectionReason } from '../../domain/decision.ts';
import { decisionSchema } from '../../domain/decision.ts';
import type { HostChange } from '../../domain/host-protocol.ts';
import type { OperationId } from '../../domain/identifiers.ts';
import type { Operation } from '../../domain/operation.ts';
import { queryLimit } from '../bounded.ts';
import type { Database } from '../database.ts';
import { statement } from '../statement.ts';
import { type RowsOf, rowsOfEach } from '../together.ts';
import { inTwoRoundTrips, type TransactionEnd } from '../transaction.ts';
import { admissionQueries, numbered } from './admission-writes.ts';
import { awaitedCommands } from './host-command-writes.ts';
import { effectiveTime, nextGeneration } from './locks.ts';
import type { AddressChange, AdmissionContext, AdmissionResult, Plan } from './plan.ts';

/*
 * How every operation is admitted: in one transaction of two round trips. The first reads and locks, and a pure decision
 * is made by what it finds; the second writes and commits, or rolls back.
 */

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

/** By then its starter has answered that the operation will not happen. */
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
