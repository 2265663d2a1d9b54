import type { Address } from '../domain/address.ts';
import type { AcceptedCommand } from './answers.ts';
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

/** Whether the snapshot, if it is newer than the command, says otherwise. */
export function isOvertaken(command: AcceptedCommand, snapshot: Snapshot): boolean {
  if (command.sequence > snapshot.sequence || snapshot.unclear.has(command.address)) return false;
  const desired = snapshot.attachments.get(command.address);
  if (command.change === 'attach') return !desired || desired.generation > command.generation;
  return desired !== undefined && desired.generation >= command.generation;
}

/** Whether commands are missing after `seen`; only what is acknowledged by now may be missing before it. */
export function hasGap(commands: readonly { sequence: number }[], seen: number): boolean {
  const newer = commands.filter(({ sequence }) => sequence > seen);
  return newer.some(({ sequence }, index) => sequence !== seen + 1 + index);
}
