import type { Address } from '../domain/address.ts';
import type { DesiredAttachment, Generation } from '../domain/host-event.ts';

/** What a driver finds on its host. */
export interface PresentAttachment {
  address: Address;
  dropletId: number;
  anchor: Address;
}

/**
 * Changes the network of the host. Every method may be repeated and may be called for several addresses at a time, never
 * twice at a time for one; each rejects with the reason when it could not do its work, and then has changed nothing that
 * a repeat would not mend.
 */
export interface NetworkDriver {
  /** Makes the host answer for the address on behalf of a droplet, in the place of any other one. */
  attach(attachment: DesiredAttachment): Promise<void>;
  /** Makes the host stop answering for the address; nothing to do when it does not. */
  detach(address: Address, generation: Generation): Promise<void>;
  /** Everything the host answers for at present. */
  list(): Promise<PresentAttachment[]>;
}
