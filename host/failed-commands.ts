import type { Address } from '../domain/address.ts';
import type { DesiredAttachment } from '../domain/host-protocol.ts';
import type { ReportedFailure } from './answers.ts';
import type { CanonicalAddress } from './canonical-address.ts';

/** The newest command about each address, if it failed: it is acknowledged anew when the host is as it says after all. */
export class FailedCommands {
  readonly #commands = new Map<Address, ReportedFailure>();

  get addresses(): CanonicalAddress[] {
    return [...this.#commands.values()].map(({ address }) => address);
  }

  add(command: ReportedFailure): void {
    this.#commands.set(command.address, command);
  }

  /** Something newer was said about the address. */
  forget(address: Address): void {
    this.#commands.delete(address);
  }

  /**
   * Takes out the command that is done after all, now that the host is as it should be about the address; null when there
   * is none, or when it says something else than the snapshot.
   */
  takeRepaired(
    address: Address,
    desired: DesiredAttachment | null,
    { sequence }: { sequence: number },
  ): ReportedFailure | null {
    const command = this.#commands.get(address);
    const isDone = command?.change === 'attach' ? desired?.generation === command.generation : desired === null;
    if (!command || !isDone || command.sequence > sequence) return null;
    this.#commands.delete(address);
    return command;
  }
}
