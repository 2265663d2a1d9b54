import { plainLine } from '../platform/text/visible.ts';
import type { Address } from './address.ts';

/** What a host is told to do with an address. */
export type HostChange = 'attach' | 'detach';

/** Rises with every change of an address; a host ignores what is older than what it has applied. */
export type Generation = number;

/** What came of a command on its host. `superseded`: the host had already applied a newer generation. */
export type AcknowledgmentOutcome = 'applied' | 'failed' | 'superseded';

/** One command for one host. `sequence` counts per host from 1 without gaps. */
export interface IssuedHostCommand {
  sequence: number;
  change: HostChange;
  address: Address;
  generation: Generation;
  /** The droplet to attach to; null for a detach. */
  dropletId: number | null;
  /** The droplet's anchor address on this host; null for a detach. */
  anchor: Address | null;
  issuedAt: string;
}

/** The newest command about an address that a host was told, which it said it could not carry out. */
export type FailedHostCommand = Pick<IssuedHostCommand, 'sequence' | 'change' | 'address' | 'generation'>;

/** A host's answer to one command. */
export interface Acknowledgment {
  sequence: number;
  generation: Generation;
  outcome: AcknowledgmentOutcome;
  /** Why, when `outcome` is `failed`. */
  message: string | null;
}

/** A host's reason as operators read it in a failure: one bounded line, whatever the host sent. */
export function reasonGiven(message: string | null): string {
  return plainLine(message ?? '') || 'no reason given';
}

/** One address that a host is to announce. */
export interface DesiredAttachment {
  address: Address;
  generation: Generation;
  dropletId: number;
  anchor: Address;
}

/** Everything a host is to announce, and the last command that this already takes into account. */
export interface DesiredState {
  host: string;
  sequence: number;
  attachments: DesiredAttachment[];
}
