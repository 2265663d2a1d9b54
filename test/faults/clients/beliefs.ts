import type { SeededRandom } from '../../../dev/kit/random.ts';
import type { Address } from '../../../domain/address.ts';
import type { ClientConfiguration, Outcome, Request } from './record.ts';

/** One in so many choices leaves what others of the account keep to, so that they meet. */
const MEETING_IN = 6;

/**
 * What a client process holds true of its account, from what it was told; the other processes of the account change it
 * too, so it may be wrong.
 */
export class Beliefs {
  readonly #places = new Map<Address, number | null>();
  readonly #droplets: Set<number>;
  /** What a lane of this process is at work on. */
  readonly #inHand = new Set<Address>();
  readonly #share: ClientConfiguration['share'];

  constructor({ account, share }: Pick<ClientConfiguration, 'account' | 'share'>) {
    this.#droplets = new Set(account.droplets);
    this.#share = share;
  }

  /** How many addresses of an IP version there are. */
  count(ipVersion: 4 | 6): number {
    return [...this.#places.keys()].filter((address) => address.includes(':') === (ipVersion === 6)).length;
  }

  /** Takes over lists of everything. */
  replace(addresses: Map<Address, number | null>, droplets: number[]): void {
    this.#places.clear();
    for (const [address, droplet] of addresses) this.#places.set(address, droplet);
    this.#droplets.clear();
    for (const droplet of droplets) this.#droplets.add(droplet);
  }

  /** The droplet that an address is on; null when on none. */
  placeOf(address: Address): number | null {
    return this.#places.get(address) ?? null;
  }

  /** Takes an address to work on, and gives it back afterwards; resolves without work when there is none. */
  async withAddress(random: SeededRandom, work: (address: Address, meeting: boolean) => Promise<void>): Promise<void> {
    const meeting = random.below(MEETING_IN) === 0;
    const all = [...this.#places.keys()];
    const own = all.filter((address) => this.#isOwn(tailOf(address)) && !this.#inHand.has(address));
    const choices = meeting || own.length === 0 ? all : own;
    if (choices.length === 0) return;
    const address = random.from(choices);
    this.#inHand.add(address);
    await work(address, meeting).finally(() => this.#inHand.delete(address));
  }

  /** A droplet that has no address of the IP version, as far as is known; when meeting, any. Null when there is none. */
  dropletFor(random: SeededRandom, ipVersion: 4 | 6, meeting: boolean): number | null {
    const taken = new Set(
      [...this.#places].flatMap(([address, droplet]) =>
        droplet !== null && address.includes(':') === (ipVersion === 6) ? [droplet] : [],
      ),
    );
    const all = [...this.#droplets];
    const free = all.filter((droplet) => this.#isOwn(droplet) && !taken.has(droplet));
    const choices = meeting || free.length === 0 ? all : free;
    return choices.length === 0 ? null : random.from(choices);
  }

  /** Learns from what was asked and told. */
  learn(request: Request, outcome: Outcome): void {
    if (outcome.kind === 'done') {
      if (request.kind === 'create') this.#droplets.add(outcome.droplet);
      else this.#forget(outcome.droplet);
      return;
    }
    if (request.kind === 'destroy') {
      if (outcome.kind === 'refused' && outcome.status === 404) this.#forget(request.droplet);
      return;
    }
    if (outcome.kind === 'accepted') {
      if (request.kind === 'release') this.#places.delete(outcome.address);
      else this.#places.set(outcome.address, dropletOf(request));
    }
    if (request.kind === 'show' && outcome.kind === 'address') this.#places.set(request.address, outcome.droplet);
    if (request.kind === 'show' && outcome.kind === 'missing') this.#places.delete(request.address);
  }

  /** A droplet is gone, and nothing is on it. */
  #forget(droplet: number): void {
    this.#droplets.delete(droplet);
    for (const [address, place] of this.#places) if (place === droplet) this.#places.set(address, null);
  }

  #isOwn(number: number): boolean {
    return number % this.#share.of === this.#share.index;
  }
}

function dropletOf(request: Request): number | null {
  return 'droplet' in request ? request.droplet : null;
}

/** The last part of an address as a number. */
function tailOf(address: Address): number {
  return address.includes(':')
    ? Number.parseInt(address.slice(address.lastIndexOf(':') + 1) || '0', 16)
    : Number(address.slice(address.lastIndexOf('.') + 1));
}
