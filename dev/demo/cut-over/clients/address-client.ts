/** An address as a client is told of it. */
export interface SeenAddress {
  ip: string;
  dropletId: number | null;
}

/** Where an address is wanted. */
export type ReserveTarget = { region: string } | { dropletId: number };

/** What a library can do with addresses under one of their two names; every method is one request, and throws what the library throws. */
export interface AddressClient {
  list(): Promise<SeenAddress[]>;
  show(ip: string): Promise<SeenAddress>;
  /** Answers the action that takes it to the droplet, too; null when there is none. */
  reserve(target: ReserveTarget): Promise<{ ip: string; actionId: number | null }>;
  /** Answers the action. */
  assign(ip: string, dropletId: number): Promise<number>;
  /** Answers the action. */
  unassign(ip: string): Promise<number>;
  release(ip: string): Promise<void>;
  /** The kinds of what was done with it, the latest first. */
  listActions(ip: string): Promise<string[]>;
  /** How far an action is. */
  showAction(ip: string, actionId: number): Promise<string>;
}

/** The two names. */
export type ResourceName = 'reserved_ips' | 'floating_ips';
