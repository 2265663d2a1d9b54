import type { OperationRequest } from './common/operation.ts';
import type { PeerLane } from './common/tables.ts';

/** How long a host takes to answer, in milliseconds. */
export const HOST_DELAYS_MS = [0, 100] as const;
export type HostDelayMs = (typeof HOST_DELAYS_MS)[number];

/** An address and a droplet that operations go back and forth on. One operation at a time. */
export interface Lane extends PeerLane {
  /** Whether the address is on the droplet now. */
  assigned: boolean;
}

/** One operation as the caller sends it. */
export interface Call extends OperationRequest {
  /** Whether the caller may have to send it again; it then carries a key where its id alone is not one. */
  repeatable: boolean;
}

/** A peer answered that it cannot take the operation now; nothing was changed, or the same call changes it once. */
export class UnavailableError extends Error {
  override readonly name = 'UnavailableError';
}

/** The outcome of the operations of a recovery. */
export interface Outcome {
  /** How many are completed, each once. */
  completed: number;
  /** Addresses or operations for which more or fewer changes are recorded than were asked for. */
  doubled: number;
  /** Addresses on which an operation is still open. */
  open: number;
}

/** A system that carries out operations; all of them are measured through this alone. */
export interface Peer {
  readonly name: string;
  /** Where it publishes that an operation has settled. */
  readonly topic: string;
  readonly lanes: Readonly<Record<HostDelayMs, Lane[]>>;
  readonly accountId: number;
  /** Process ids by what they are, of its own processes and of the servers that only it or few use. */
  processes(): Map<string, number[]>;
  /**
   * Sends an operation; resolves once the caller knows that it was admitted, with the id under which it is published.
   *
   * @throws {UnavailableError} when it can be sent again.
   * @throws {Error} on any other answer, and when the connection breaks.
   */
  accept(call: Call): Promise<string>;
  /** The same, but resolves once the operation is durably started, before it is known to be admitted. */
  start?(call: Call): Promise<string>;
  /** SIGKILL to the process that carries out the operations; resolves when it is gone. */
  kill(): Promise<void>;
  /** Starts it again; resolves when it answers. */
  restart(): Promise<void>;
  /** Looks at what is recorded of these operations. */
  outcome(operations: readonly { operationId: string; publishedId: string; lane: Lane }[]): Promise<Outcome>;
  close(): Promise<void>;
}

/** Lanes of a peer, in the order in which their host URLs were given. */
export function toLanes(lanes: readonly PeerLane[], count: number): Record<HostDelayMs, Lane[]> {
  const all = lanes.map((lane) => ({ ...lane, assigned: false }));
  return { 0: all.slice(0, count), 100: all.slice(count, 2 * count) };
}
