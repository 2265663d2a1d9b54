import type { Generation } from '../domain/host-protocol.ts';
import type { PermittedAttachment } from './attachment-policy.ts';
import type { CanonicalAddress } from './canonical-address.ts';

/** What a driver finds on its host. */
export interface PresentAttachment {
  address: CanonicalAddress;
  dropletId: number;
  anchor: CanonicalAddress;
  /** Whether the host announces it; false after a withdrawal, until it is attached again. */
  announcing: boolean;
}

/**
 * Changes the network of the host. Every method may be repeated and may be called for several addresses at a time, never
 * twice at a time for one; each rejects with the reason when it could not do its work, and then has changed nothing that
 * a repeat would not repair. It takes parsed values only, and is still to reject what is the host's own.
 */
export interface NetworkDriver {
  /** Makes the host announce the address on behalf of a droplet, in the place of any other one. */
  attach(attachment: PermittedAttachment): Promise<void>;
  /** Makes the host stop announcing the address; nothing to do when it does not. */
  detach(address: CanonicalAddress, generation: Generation): Promise<void>;
  /** Everything that is attached at present, also what is not announced. */
  list(): Promise<PresentAttachment[]>;
  /** Stops announcing everything at once. What is attached stays so, and is taken up again by attaching it. */
  withdraw(): Promise<void>;
  /** Whether the host can reach nobody, or only itself. */
  isCutOff(): Promise<boolean>;
  /** Tells at once when the host loses its network and when it has it again, until the signal is aborted. */
  watch(onCarrier: (carrier: boolean) => void, signal: AbortSignal): Promise<void>;
}
