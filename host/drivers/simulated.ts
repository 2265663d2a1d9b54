import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Address } from '../../domain/address.ts';
import type { DesiredAttachment, Generation } from '../../domain/host-protocol.ts';
import { canonicalAddressSchema } from '../canonical-address.ts';
import type { NetworkDriver, PresentAttachment } from '../driver.ts';

/** How a silent driver hangs: before it has changed anything, or after. */
export type Silence = 'before-applying' | 'after-applying';

/** How a {@link SimulatedDriver} begins; all of it can be changed later. */
export interface SimulatedDriverOptions {
  /** How long each change takes, in milliseconds; default 0. */
  delayMs?: number;
  /** Share of the changes that fail, 0 to 1; default 0. */
  failureProbability?: number;
  silence?: Silence | null;
  /** Keeps the network in this file, so that it outlives the agent as the kernel's does; default in memory only. */
  networkFile?: string | null;
}

const networkSchema = z.array(
  z.object({
    address: canonicalAddressSchema,
    generation: z.int(),
    dropletId: z.int(),
    anchor: canonicalAddressSchema,
  }),
);

/** The attachments in a simulated network's file; none when there is no file. */
export function readNetworkFile(path: string): DesiredAttachment[] {
  try {
    return networkSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

/** A network that is none, and misbehaves on request. */
export class SimulatedDriver implements NetworkDriver {
  delayMs: number;
  failureProbability: number;
  readonly #attachments = new Map<Address, DesiredAttachment>();
  /** Failures still to come: of one address, or under null of any. */
  readonly #failures = new Map<Address | null, number>();
  readonly #withdrawn = new Set<Address>();
  #onCarrier: (carrier: boolean) => void = () => {};
  #carrier = true;
  #silence: { how: Silence; addresses: ReadonlySet<Address> | null } | null = null;
  #speaksAgain = Promise.withResolvers<void>();
  readonly #networkFile: string | null;

  constructor({
    delayMs = 0,
    failureProbability = 0,
    silence = null,
    networkFile = null,
  }: SimulatedDriverOptions = {}) {
    this.delayMs = delayMs;
    this.failureProbability = failureProbability;
    this.#networkFile = networkFile;
    for (const one of networkFile === null ? [] : readNetworkFile(networkFile)) this.#attachments.set(one.address, one);
    if (silence) this.silence(silence);
  }

  /** What the host announces, by address. */
  get attachments(): ReadonlyMap<Address, DesiredAttachment> {
    return this.#attachments;
  }

  /** Lets the next `count` changes fail, of one address or of any; Infinity for all. */
  failNext(count: number, address: Address | null = null): void {
    this.#failures.set(address, count);
  }

  /** From now on changes never end, of these addresses or of all. */
  silence(how: Silence, addresses: Iterable<Address> | null = null): void {
    this.#silence = { how, addresses: addresses && new Set(addresses) };
  }

  /** Ends the silence; changes that hang go on, and are acknowledged late. */
  speakAgain(): void {
    this.#silence = null;
    this.#speaksAgain.resolve();
    this.#speaksAgain = Promise.withResolvers<void>();
  }

  /** The host loses its network, or has it again. */
  setCarrier(carrier: boolean): void {
    this.#carrier = carrier;
    this.#onCarrier(carrier);
  }

  /** Whether the host would announce an address. */
  announces(address: Address): boolean {
    return this.#attachments.has(address) && !this.#withdrawn.has(address);
  }

  async attach(attachment: DesiredAttachment): Promise<void> {
    await this.#change(attachment.address, () => {
      this.#attachments.set(attachment.address, attachment);
      this.#withdrawn.delete(attachment.address);
    });
  }

  async detach(address: Address, _generation: Generation): Promise<void> {
    await this.#change(address, () => this.#attachments.delete(address));
  }

  async list(): Promise<PresentAttachment[]> {
    return [...this.#attachments.values()].map(({ address, dropletId, anchor }) => ({
      address: canonicalAddressSchema.parse(address),
      dropletId,
      anchor: canonicalAddressSchema.parse(anchor),
      announcing: this.announces(address),
    }));
  }

  async withdraw(): Promise<void> {
    for (const address of this.#attachments.keys()) this.#withdrawn.add(address);
  }

  async isCutOff(): Promise<boolean> {
    return !this.#carrier;
  }

  async watch(onCarrier: (carrier: boolean) => void, signal: AbortSignal): Promise<void> {
    this.#onCarrier = onCarrier;
    if (signal.aborted) return;
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  }

  async #change(address: Address, apply: () => void): Promise<void> {
    if (this.delayMs > 0) await sleep(this.delayMs);
    await this.#hang('before-applying', address);
    if (this.#fails(address)) throw new Error('the simulated driver is set to fail');
    apply();
    this.#write();
    await this.#hang('after-applying', address);
  }

  /** At once and whole, as a change of the kernel's network is. */
  #write(): void {
    if (this.#networkFile === null) return;
    writeFileSync(`${this.#networkFile}.new`, JSON.stringify([...this.#attachments.values()]));
    renameSync(`${this.#networkFile}.new`, this.#networkFile);
  }

  async #hang(when: Silence, address: Address): Promise<void> {
    const silence = this.#silence;
    if (silence?.how === when && (silence.addresses?.has(address) ?? true)) await this.#speaksAgain.promise;
  }

  #fails(address: Address): boolean {
    for (const key of [address, null]) {
      const left = this.#failures.get(key) ?? 0;
      if (left <= 0) continue;
      this.#failures.set(key, left - 1);
      return true;
    }
    return Math.random() < this.failureProbability;
  }
}
