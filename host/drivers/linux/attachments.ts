import type { PermittedAttachment } from '../../attachment-policy.ts';
import type { CanonicalAddress } from '../../canonical-address.ts';
import type { PresentAttachment } from '../../driver.ts';
import { elementsOf, type PlacedElement, type Translation } from './nftables.ts';
import type { Uplink } from './uplink.ts';

/** A change, as far as a plan needs it. */
export interface PlannedChange {
  address: CanonicalAddress;
  /** What to attach; null to detach. */
  attachment: PermittedAttachment | null;
}

/** The steps that make a batch of changes, in this order. */
export interface Plan {
  /** Addresses to take off the uplink. */
  silence: CanonicalAddress[];
  removed: PlacedElement[];
  added: PlacedElement[];
  /** Addresses to put on the uplink. */
  answer: CanonicalAddress[];
  /** Addresses that the neighbours are to hear of. */
  announce: CanonicalAddress[];
}

/** What is attached on a host: the translations, and which of their addresses the host announces. */
export class Attachments {
  readonly hardwareAddress: string;
  readonly #uplink: Uplink;
  readonly #byAddress: Map<CanonicalAddress, Translation>;
  readonly #byAnchor: Map<CanonicalAddress, Translation>;

  constructor(translations: readonly Translation[], uplink: Uplink) {
    this.hardwareAddress = uplink.hardwareAddress;
    this.#uplink = uplink;
    this.#byAddress = new Map(translations.map((translation) => [translation.address, translation]));
    this.#byAnchor = new Map(translations.map((translation) => [translation.anchor, translation]));
  }

  list(): PresentAttachment[] {
    return [...this.#byAddress.values()].map((translation) => ({
      ...translation,
      announcing: this.#uplink.own.has(translation.address),
    }));
  }

  /** Addresses that the host announces. */
  announcing(): CanonicalAddress[] {
    return [...this.#uplink.own];
  }

  setAnnouncing(address: CanonicalAddress, announcing: boolean): void {
    if (announcing) this.#uplink.own.add(address);
    else this.#uplink.own.delete(address);
  }

  /** Takes note of the addresses on the uplink that nothing translates, as gone; they are to be removed. */
  strayOnUplink(): CanonicalAddress[] {
    const stray = this.announcing().filter((address) => !this.#byAddress.has(address));
    for (const address of stray) this.setAnnouncing(address, false);
    return stray;
  }

  /** Plans changes, and takes note of them as made; the caller reads everything anew when one of the steps fails. */
  plan(changes: readonly PlannedChange[]): Plan {
    const before = new Map<CanonicalAddress, Translation | undefined>();
    const announcingBefore = new Map<CanonicalAddress, boolean>();
    const touch = (address: CanonicalAddress) => {
      if (before.has(address)) return;
      before.set(address, this.#byAddress.get(address));
      announcingBefore.set(address, this.#uplink.own.has(address));
    };
    const drop = (translation: Translation | undefined) => {
      if (!translation) return;
      touch(translation.address);
      this.#byAddress.delete(translation.address);
      this.#byAnchor.delete(translation.anchor);
      this.setAnnouncing(translation.address, false);
    };
    const announce = new Set<CanonicalAddress>();
    for (const { address, attachment } of changes) {
      touch(address);
      const present = this.#byAddress.get(address);
      if (!attachment) {
        drop(present);
        announce.delete(address);
        continue;
      }
      const { anchor, dropletId } = attachment;
      if (present?.anchor !== anchor || present.dropletId !== dropletId) {
        drop(present);
        // A droplet has one address of a family: whatever its anchor was used for before has had its time.
        drop(this.#byAnchor.get(anchor));
        const translation = { address, anchor, dropletId };
        this.#byAddress.set(address, translation);
        this.#byAnchor.set(anchor, translation);
      }
      this.setAnnouncing(address, true);
      announce.add(address);
    }
    return this.#difference(before, announcingBefore, announce);
  }

  #difference(
    before: ReadonlyMap<CanonicalAddress, Translation | undefined>,
    announcingBefore: ReadonlyMap<CanonicalAddress, boolean>,
    announce: ReadonlySet<CanonicalAddress>,
  ): Plan {
    const plan: Plan = { silence: [], removed: [], added: [], answer: [], announce: [...announce] };
    for (const [address, earlier] of before) {
      const now = this.#byAddress.get(address);
      if (earlier !== now) {
        if (earlier) plan.removed.push(...elementsOf(earlier));
        if (now) plan.added.push(...elementsOf(now));
      }
      const answers = this.#uplink.own.has(address);
      if (answers === announcingBefore.get(address)) continue;
      (answers ? plan.answer : plan.silence).push(address);
    }
    return plan;
  }
}
