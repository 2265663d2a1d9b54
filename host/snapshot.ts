import type { Address } from '../domain/address.ts';
import type { AcceptedEvent } from './answers.ts';
import type { PermittedAttachment } from './attachment-policy.ts';
import type { CanonicalAddress } from './canonical-address.ts';

/** The desired state that the host was last compared with. */
export interface Snapshot {
  sequence: number;
  attachments: ReadonlyMap<CanonicalAddress, PermittedAttachment>;
  /** Addresses of which it cannot be told what the host is to do; it leaves them as they are. */
  unclear: ReadonlySet<Address>;
  /** On the clock of `performance.now()`. */
  readAt: number;
}

/** Whether the snapshot, if it is newer than the event, says otherwise. */
export function isOvertaken(event: AcceptedEvent, snapshot: Snapshot): boolean {
  if (event.sequence > snapshot.sequence || snapshot.unclear.has(event.address)) return false;
  const desired = snapshot.attachments.get(event.address);
  if (event.change === 'attach') return !desired || desired.generation > event.generation;
  return desired !== undefined && desired.generation >= event.generation;
}

/** Whether events are missing after `seen`; only what is acknowledged by now may be missing before it. */
export function hasGap(events: readonly { sequence: number }[], seen: number): boolean {
  const newer = events.filter(({ sequence }) => sequence > seen);
  return newer.some(({ sequence }, index) => sequence !== seen + 1 + index);
}
