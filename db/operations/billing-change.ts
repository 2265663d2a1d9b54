import type { BillingChange, BillingChangeKind } from '../../domain/billing.ts';
import { billingEventId } from '../../domain/names.ts';
import type { LockedAddress } from './records.ts';

/** The billing event of a change of this address, as the transaction that settles it knows it. */
export function billingChange(
  address: LockedAddress,
  change: { kind: BillingChangeKind; accountId: number; actionId: number; dropletId: number | null; at: Date },
): BillingChange {
  return {
    eventId: billingEventId(change.actionId),
    kind: change.kind,
    accountId: change.accountId,
    address: address.address,
    region: address.region,
    dropletId: change.dropletId,
    actionId: change.actionId,
    effectiveAt: change.at.toISOString(),
  };
}
