import type { PermittedAttachment } from './attachment-policy.ts';
import type { CanonicalAddress } from './canonical-address.ts';
import type { PresentAttachment } from './driver.ts';
import type { Snapshot } from './snapshot.ts';

/** One difference between a host and its desired state, and how to repair it. */
export interface Repair {
  address: CanonicalAddress;
  /** What the host is to announce; null when it must stop announcing the address. */
  attachment: PermittedAttachment | null;
}

/** What has to change so that the host announces exactly what it should. What must go comes first. */
export function repairsOf(
  { attachments: desired, unclear }: Pick<Snapshot, 'attachments' | 'unclear'>,
  present: readonly PresentAttachment[],
): Repair[] {
  const found = new Map(present.map((attachment) => [attachment.address, attachment]));
  const surplus = present.filter(({ address }) => !desired.has(address) && !unclear.has(address));
  const missing = [...desired.values()].filter(({ address, dropletId, anchor }) => {
    const there = found.get(address);
    return there?.dropletId !== dropletId || there.anchor !== anchor || !there.announcing;
  });
  return [
    ...surplus.map(({ address }) => ({ address, attachment: null })),
    ...missing.map((attachment) => ({ address: attachment.address, attachment })),
  ];
}
