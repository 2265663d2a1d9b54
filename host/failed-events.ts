import type { Address } from '../domain/address.ts';
import type { DesiredAttachment } from '../domain/host-event.ts';
import type { ReportedFailure } from './answers.ts';
import type { CanonicalAddress } from './canonical-address.ts';

/** The newest event about each address, if it failed: it is acknowledged anew when the host is as it says after all. */
export class FailedEvents {
  readonly #events = new Map<Address, ReportedFailure>();

  get addresses(): CanonicalAddress[] {
    return [...this.#events.values()].map(({ address }) => address);
  }

  add(event: ReportedFailure): void {
    this.#events.set(event.address, event);
  }

  /** Something newer was said about the address. */
  forget(address: Address): void {
    this.#events.delete(address);
  }

  /**
   * Takes out the event that is done after all, now that the host is as it should be about the address; null when there
   * is none, or when it says something else than the snapshot.
   */
  takeMended(
    address: Address,
    desired: DesiredAttachment | null,
    { sequence }: { sequence: number },
  ): ReportedFailure | null {
    const event = this.#events.get(address);
    const isDone = event?.change === 'attach' ? desired?.generation === event.generation : desired === null;
    if (!event || !isDone || event.sequence > sequence) return null;
    this.#events.delete(address);
    return event;
  }
}
