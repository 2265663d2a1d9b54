import type { Address } from '../domain/address.ts';
import type { DesiredAttachment } from '../domain/host-event.ts';
import type { PresentAttachment } from './driver.ts';

/** One difference between a host and its desired state, and how to mend it. */
export interface Repair {
  address: Address;
  /** What the host is to answer for; null when it must stop answering for the address. */
  attachment: DesiredAttachment | null;
}

/** What has to change so that the host answers for exactly what it should. What must go comes first. */
export function repairsOf(
  desired: ReadonlyMap<Address, DesiredAttachment>,
  present: readonly PresentAttachment[],
): Repair[] {
  const found = new Map(present.map((attachment) => [attachment.address, attachment]));
  const surplus = present.filter(({ address }) => !desired.has(address));
  const missing = [...desired.values()].filter(({ address, dropletId, anchor }) => {
    const there = found.get(address);
    return there?.dropletId !== dropletId || there.anchor !== anchor || !there.answering;
  });
  return [
    ...surplus.map(({ address }) => ({ address, attachment: null })),
    ...missing.map((attachment) => ({ address: attachment.address, attachment })),
  ];
}
