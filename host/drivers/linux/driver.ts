import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { PermittedAttachment } from '../../attachment-policy.ts';
import type { CanonicalAddress } from '../../canonical-address.ts';
import type { NetworkDriver, PresentAttachment } from '../../driver.ts';
import { announce } from './announcement.ts';
import { Attachments } from './attachments.ts';
import { SystemCommands } from './command.ts';
import { changeElements, ensureTable, readElements, removeTable, translationsOf } from './nftables.ts';
import { type OwnNetwork, readOwnNetwork } from './own-network.ts';
import { changeUplink, type DeviceName, gatewayAnswers, hasCarrier, readUplink } from './uplink.ts';

const WATCH_AGAIN_AFTER_MS = 1_000;
const FORWARDING = ['net.ipv4.ip_forward', 'net.ipv6.conf.all.forwarding'];

/** Options of {@link LinuxDriver}. */
export interface LinuxDriverOptions {
  /** The device that faces the network, on which the host announces addresses. */
  uplink: DeviceName;
  logger: Logger;
  /** How the host's tools are run; default in the network that this process is in. */
  commands?: SystemCommands;
}

/** One change that is asked for; its promise is settled when it is done. */
interface Change {
  address: CanonicalAddress;
  /** What to attach; null to detach. */
  attachment: PermittedAttachment | null;
  resolve: () => void;
  reject: (error: unknown) => void;
}

/**
 * Attaches addresses on a Linux host, by iproute2 and nftables. An attached address is on the uplink, so that the kernel
 * announces it, and is translated 1:1 to the droplet's anchor. Changes that come together are made together: whatever
 * waits when a change ends becomes the next batch, one transaction of the packet filter, however many there are.
 * Everything of its own is in the table `reserved_ip`, or on the uplink under its own metric.
 */
export class LinuxDriver implements NetworkDriver {
  readonly #uplink: DeviceName;
  readonly #logger: Logger;
  readonly #commands: SystemCommands;
  /** What is there, as of the last look and the changes since; null when that is not known. */
  #known: Attachments | null = null;
  #changes: Change[] = [];
  /** End of the work in hand: one piece at a time. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor({ uplink, logger, commands = new SystemCommands() }: LinuxDriverOptions) {
    this.#uplink = uplink;
    this.#logger = logger;
    this.#commands = commands;
  }

  attach(attachment: PermittedAttachment): Promise<void> {
    return this.#change(attachment.address, attachment);
  }

  detach(address: CanonicalAddress): Promise<void> {
    return this.#change(address, null);
  }

  list(): Promise<PresentAttachment[]> {
    return this.#inTurn(async () => (await this.#look()).list());
  }

  withdraw(): Promise<void> {
    // The second time it looks at what is really there: the kernel may have taken addresses off by itself.
    return this.#inTurn(() => this.#silenceAll().catch(() => this.#silenceAll()));
  }

  async isCutOff(): Promise<boolean> {
    // A device that is not there leads nowhere either.
    const carrier = await hasCarrier(this.#commands, this.#uplink).catch(() => false);
    return !carrier || (await gatewayAnswers(this.#commands, this.#uplink)) === false;
  }

  async watch(onCarrier: (carrier: boolean) => void, signal: AbortSignal): Promise<void> {
    let carrier = true;
    const look = async () => {
      const now = await hasCarrier(this.#commands, this.#uplink).catch(() => false);
      if (now !== carrier && !signal.aborted) onCarrier(now);
      carrier = now;
    };
    // One look after the other, so that an older one never has the last word.
    let looking = Promise.resolve();
    const lookAgain = () => {
      looking = looking.then(look);
    };
    while (!signal.aborted) {
      const monitor = this.#commands.follow('ip', ['monitor', 'link', 'dev', this.#uplink], {
        signal,
        onOutput: lookAgain,
      });
      lookAgain();
      await monitor;
      await sleep(WATCH_AGAIN_AFTER_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Takes everything of the agent's own off the host. */
  remove(): Promise<void> {
    return this.#inTurn(async () => {
      this.#known = null;
      const { own } = await readUplink(this.#commands, this.#uplink);
      await changeUplink(this.#commands, this.#uplink, { remove: [...own] });
      await removeTable(this.#commands);
    });
  }

  #change(address: CanonicalAddress, attachment: PermittedAttachment | null): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#changes.push({ address, attachment, resolve, reject });
    void this.#inTurn(() => this.#takeChanges());
    return promise;
  }

  async #silenceAll(): Promise<void> {
    const known = this.#known ?? (await this.#look());
    const announcing = known.announcing();
    await this.#orForget(changeUplink(this.#commands, this.#uplink, { remove: announcing }));
    for (const address of announcing) known.setAnnouncing(address, false);
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  /** Makes every change that waits; those of a batch that fails are tried one by one, so that only the bad one fails. */
  async #takeChanges(): Promise<void> {
    const changes = await this.#withoutOwn(this.#changes.splice(0));
    if (changes.length === 0) return;
    if (changes.length > 1 && (await this.#make(changes).catch((error: unknown) => this.#complain(error)))) {
      for (const { resolve } of changes) resolve();
      return;
    }
    for (const change of changes) {
      await this.#make([change])
        .catch(() => this.#make([change]))
        .then(change.resolve, change.reject);
    }
  }

  /** Rejects what would take away what the host needs for itself, which may have changed since the last look. */
  async #withoutOwn(changes: readonly Change[]): Promise<Change[]> {
    if (changes.every(({ attachment }) => attachment === null)) return [...changes];
    try {
      const own = await readOwnNetwork(this.#commands, this.#uplink);
      return changes.filter((change) => {
        const problem = change.attachment && problemOf(change.attachment, own);
        if (problem !== null) change.reject(new Error(problem));
        return problem === null;
      });
    } catch (error) {
      for (const { attachment, reject } of changes) if (attachment) reject(error);
      return changes.filter(({ attachment }) => attachment === null);
    }
  }

  #complain(error: unknown): false {
    this.#logger.warn({ err: error }, 'a batch of changes failed; each is tried by itself');
    return false;
  }

  /**
   * Off the uplink first and onto it last: at no moment is an address announced that is not translated. Looks at what
   * is really there when a step fails, since then something else may have changed it.
   */
  async #make(changes: readonly Change[]): Promise<true> {
    const known = this.#known ?? (await this.#look());
    const { hardwareAddress } = known;
    const plan = known.plan(changes);
    await this.#orForget(
      (async () => {
        await changeUplink(this.#commands, this.#uplink, { remove: plan.silence });
        await changeElements(this.#commands, plan.removed, plan.added);
        await changeUplink(this.#commands, this.#uplink, { add: plan.answer });
      })(),
    );
    await announce(this.#commands, this.#uplink, hardwareAddress, plan.announce).catch((error: unknown) => {
      this.#logger.warn({ err: error, addresses: plan.announce.length }, 'neighbours could not be told');
    });
    return true;
  }

  async #orForget(work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      this.#known = null;
      throw error;
    }
  }

  /** Reads what is there, with the rules brought up to date, and clears away what is left of half a change. */
  async #look(): Promise<Attachments> {
    this.#known = null;
    await assertForwarding(this.#commands);
    await ensureTable(this.#commands, this.#uplink);
    const [elements, uplink] = await Promise.all([
      readElements(this.#commands),
      readUplink(this.#commands, this.#uplink),
    ]);
    const { translations, debris } = translationsOf(elements);
    const known = new Attachments(translations, uplink);
    const stray = known.strayOnUplink();
    if (debris.length + stray.length > 0) {
      this.#logger.warn({ elements: debris.length, addresses: stray }, 'clearing away what is left of half a change');
      await changeUplink(this.#commands, this.#uplink, { remove: stray });
      await changeElements(this.#commands, debris, []);
    }
    this.#known = known;
    return known;
  }
}

/** Why an attachment would take away something of the host's own; null when it would not. */
function problemOf({ address, anchor }: PermittedAttachment, own: OwnNetwork): string | null {
  const use = own.get(address);
  if (use !== undefined) return `${address} is ${use}`;
  const useOfAnchor = own.get(anchor);
  return useOfAnchor === undefined ? null : `anchor ${anchor} is ${useOfAnchor}`;
}

/** Without forwarding nothing would get through to a droplet. It is the host's setting, so it is not changed here. */
async function assertForwarding(commands: SystemCommands): Promise<void> {
  const values = (await commands.run('sysctl', ['-n', ...FORWARDING])).trim().split('\n');
  const missing = FORWARDING.filter((_, index) => values[index] === '0');
  if (missing.length > 0) throw new Error(`this host does not forward packets: ${missing.join(', ')} must be 1`);
}
