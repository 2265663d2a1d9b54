import type { CodePath, OperationName } from '../../../../edge/code-paths.ts';
import { messageOf } from '../../../environment/errors.ts';
import type { SeededRandom } from '../../../kit/random.ts';
import type { AddressClient, ResourceName, SeenAddress } from './address-client.ts';
import type { ClientRequest, CustomerEnd, PlannedCustomer, Told } from './record.ts';

/** A door to the addresses, and the name that they have there. */
export interface Door {
  resourceName: ResourceName;
  client: AddressClient;
}

/** Options of {@link Customer}. */
export interface CustomerOptions {
  planned: PlannedCustomer;
  /** Through which it goes at random. */
  doors: readonly Door[];
  /** One request of so many is a change, as long as none is on its way. */
  changeEvery: number;
  random: SeededRandom;
  record(request: ClientRequest): void;
}

/** An action that has not ended yet, and where it takes the address. */
interface Pending {
  actionId: number;
  dropletId: number | null;
}

/**
 * A customer who has one address at the most, makes one request at a time, and waits for each change until it is
 * completed. Knows after each what must be so, and takes every answer that says otherwise for a failure.
 */
export class Customer {
  readonly #options: CustomerOptions;
  readonly #told: Told = { reserve_ip: 0, assign_ip: 0, unassign_ip: 0, release_ip: 0 };
  #held: SeenAddress | null = null;
  #pending: Pending | null = null;
  #failed = false;

  constructor(options: CustomerOptions) {
    this.#options = options;
  }

  /** Whether a change is on its way. */
  get isWaiting(): boolean {
    return this.#pending !== null && !this.#failed;
  }

  /** After a failure it does not know any more what is so, and has nothing left to say. */
  get hasFailed(): boolean {
    return this.#failed;
  }

  /** Sends one request. Never throws: what fails is recorded. */
  async beat(): Promise<void> {
    const { random, doors, changeEvery } = this.#options;
    const door = random.from(doors);
    if (this.#pending) await this.#poll(door, this.#pending);
    else if (random.below(changeEvery) === 0) await this.#change(door);
    else await this.#look(door);
  }

  /** What it knows in the end. */
  end(missedBeats: number): CustomerEnd {
    const { accountId } = this.#options.planned;
    return { kind: 'end', accountId, told: this.#told, held: this.#held, missedBeats };
  }

  async #poll(door: Door, { actionId, dropletId }: Pending): Promise<void> {
    const ip = this.#held?.ip ?? '';
    await this.#send(door, 'show_action', async (client) => {
      const status = await client.showAction(ip, actionId);
      if (status === 'in-progress') return null;
      this.#pending = null;
      this.#held = { ip, dropletId };
      return status === 'completed' ? null : `action ${actionId} on ${ip} is ${status}`;
    });
  }

  async #change(door: Door): Promise<void> {
    const { random } = this.#options;
    const held = this.#held;
    if (held === null) await this.#reserve(door);
    else if (random.below(4) === 0) await this.#release(door, held.ip);
    else if (held.dropletId !== null && random.below(2) === 0) await this.#unassign(door, held.ip);
    else await this.#assign(door, held);
  }

  async #reserve(door: Door): Promise<void> {
    const { random, planned } = this.#options;
    const dropletId = random.below(2) === 0 ? null : random.from(planned.droplets);
    const operation = dropletId === null ? 'create_in_region' : 'create_for_droplet';
    await this.#send(door, operation, async (client) => {
      const { ip, actionId } = await client.reserve(dropletId === null ? { region: planned.region } : { dropletId });
      this.#told.reserve_ip++;
      this.#held = { ip, dropletId: null };
      if (dropletId === null) return null;
      this.#told.assign_ip++;
      if (actionId === null) return `${ip} was reserved for a droplet without an action`;
      this.#pending = { actionId, dropletId };
      return null;
    });
  }

  async #assign(door: Door, { ip, dropletId }: SeenAddress): Promise<void> {
    const { random, planned } = this.#options;
    const target = random.from(planned.droplets.filter((droplet) => droplet !== dropletId));
    await this.#send(door, 'assign', async (client) => {
      const actionId = await client.assign(ip, target);
      this.#told.assign_ip++;
      this.#pending = { actionId, dropletId: target };
      return null;
    });
  }

  async #unassign(door: Door, ip: string): Promise<void> {
    await this.#send(door, 'unassign', async (client) => {
      const actionId = await client.unassign(ip);
      this.#told.unassign_ip++;
      this.#pending = { actionId, dropletId: null };
      return null;
    });
  }

  async #release(door: Door, ip: string): Promise<void> {
    await this.#send(door, 'delete', async (client) => {
      await client.release(ip);
      this.#told.release_ip++;
      this.#held = null;
      return null;
    });
  }

  async #look(door: Door): Promise<void> {
    const held = this.#held;
    const looks = held === null ? (['list'] as const) : (['list', 'show', 'list_actions'] as const);
    const operation = this.#options.random.from(looks);
    await this.#send(door, operation, async (client) => {
      if (held !== null && operation === 'list_actions') {
        const types = await client.listActions(held.ip);
        return types.includes('reserve_ip') || types.length >= 20 ? null : `the actions of ${held.ip} are ${types}`;
      }
      const addresses = held !== null && operation === 'show' ? [await client.show(held.ip)] : await client.list();
      const seen = addresses.map(describe).join();
      const expected = held === null ? '' : describe(held);
      return seen === expected ? null : `${seen || 'nothing'} where ${expected || 'nothing'} was expected`;
    });
  }

  async #send(
    { resourceName, client }: Door,
    operation: OperationName,
    send: (client: AddressClient) => Promise<string | null>,
  ): Promise<void> {
    const codePath: CodePath = `${resourceName}.${operation}`;
    const beganAt = performance.timeOrigin + performance.now();
    const problem = await send(client).catch((error: unknown) => messageOf(error));
    const ms = performance.timeOrigin + performance.now() - beganAt;
    if (problem !== null) this.#failed = true;
    const { accountId } = this.#options.planned;
    this.#options.record({ kind: 'request', accountId, codePath, beganAt, ms, problem });
  }
}

function describe({ ip, dropletId }: SeenAddress): string {
  return `${ip} on ${dropletId ?? 'nothing'}`;
}
