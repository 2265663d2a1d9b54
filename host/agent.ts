import type { Logger } from 'pino';
import type { Address } from '../domain/address.ts';
import type { AcknowledgmentOutcome, DesiredAttachment, Generation } from '../domain/host-protocol.ts';
import { AcknowledgmentSender } from './acknowledgment-sender.ts';
import { AddressQueue } from './address-queue.ts';
import type { AgentOptions } from './agent-options.ts';
import type { AcceptedCommand, RejectedCommand } from './answers.ts';
import { AttachmentPolicy } from './attachment-policy.ts';
import { Backoff } from './backoff.ts';
import { BoundedErrors } from './bounded-errors.ts';
import type { CanonicalAddress } from './canonical-address.ts';
import { CommandsInHand } from './commands-in-hand.ts';
import { ControlPlane, ControlPlaneError } from './control-plane.ts';
import { FailedCommands } from './failed-commands.ts';
import { type Repair, repairsOf } from './reconcile.ts';
import { hasGap, isOvertaken, type Snapshot } from './snapshot.ts';
import { Generations } from './state-file.ts';

/** Logged when the control plane answers again, or for the first time. */
export const IN_CONTACT = 'in contact with the control plane';

const COMMANDS_PER_POLL = 200;
/** With more changes than this before it, or more commands in hand, the agent takes no further commands. */
const MOST_PENDING = 2_000;
const REPAIR_AGAIN_AFTER_MS = 5_000;
/** A snapshot is read again after this long even if nothing seems to have changed, in case rows were repaired by hand. */
const OLDEST_SNAPSHOT_MS = 600_000;
/** A poll that should have waited and is empty sooner was not worth the request. */
const SHORTEST_POLL_MS = 500;
/** Logged when the control plane sends older generations than the host has applied, which the host cannot repair. */
const GENERATIONS_TOO_LOW =
  'the control plane sends generations below those that this host has applied: they are not carried out. If the control plane is right, stop the agent, remove its state file, and start it again';

/**
 * Runs a host's agent until the signal is aborted: it compares the host with its desired state, then applies commands as
 * they come and acknowledges each. After each loss of contact it starts again with the comparison. Throws only when the
 * state file cannot be used.
 */
export async function runAgent(options: AgentOptions): Promise<void> {
  const generations = await Generations.open(options.stateFile ?? null, options.logger);
  await new Agent(options, generations).run().finally(() => generations.close());
}

class Agent {
  readonly #options: AgentOptions;
  readonly #logger: Logger;
  readonly #generations: Generations;
  readonly #controlPlane: ControlPlane;
  readonly #queue: AddressQueue;
  readonly #sender: AcknowledgmentSender;
  readonly #sending = new AbortController();
  /** Sequence of the newest command about each address; a snapshot that is older has no say in it. */
  readonly #newestCommands = new Map<Address, number>();
  readonly #failed = new FailedCommands();
  /** What failed before this agent was started is not known yet. */
  #knowsFailures = false;
  readonly #inHand = new CommandsInHand();
  readonly #errors: BoundedErrors;
  /** Generations of the desired state that are in the log as too low. */
  #reportedTooLow = new Map<CanonicalAddress, Generation>();
  #snapshot: Snapshot = {
    sequence: 0,
    attachments: new Map(),
    unclear: new Set(),
    readAt: Number.NEGATIVE_INFINITY,
  };
  #reconcileAt = 0;
  /** Ends when the host is cut off, and with it whatever was asked of the control plane. */
  #contact = new AbortController();
  /** Ends when the host has its network again, and with it the pause before the next attempt. */
  #pause = new AbortController();

  constructor(options: AgentOptions, generations: Generations) {
    this.#options = options;
    this.#logger = options.logger.child({ host: options.host });
    this.#errors = new BoundedErrors(this.#logger);
    this.#generations = generations;
    this.#controlPlane = new ControlPlane({ ...options, policy: options.policy ?? new AttachmentPolicy() });
    this.#queue = new AddressQueue(options.concurrency ?? 32);
    this.#sender = new AcknowledgmentSender({
      controlPlane: this.#controlPlane,
      logger: this.#logger,
      onDone: (sequence) => this.#inHand.end(sequence),
      signal: this.#sending.signal,
    });
  }

  async run(): Promise<void> {
    const { signal, driver } = this.#options;
    const backoff = new Backoff({ firstMs: 100, longestMs: 5_000 });
    const watching = driver.watch((carrier) => this.#carrierChanged(carrier), signal);
    while (!signal.aborted) {
      this.#contact = new AbortController();
      const contact = AbortSignal.any([signal, this.#contact.signal]);
      try {
        await this.#reconcile(contact);
        let isInContact = false;
        await this.#follow(contact, () => {
          backoff.reset();
          if (!isInContact) this.#logger.info(IN_CONTACT);
          isInContact = true;
        });
      } catch (error) {
        if (signal.aborted) break;
        const isContact = error instanceof ControlPlaneError || this.#contact.signal.aborted;
        this.#logger.warn(
          { err: error },
          isContact ? 'contact with the control plane is lost' : 'the host cannot be compared with its desired state',
        );
        if (isContact && (await driver.isCutOff())) await this.#withdraw();
        await backoff.wait(AbortSignal.any([signal, this.#pause.signal]));
        if (this.#pause.signal.aborted) this.#pause = new AbortController();
      }
    }
    await this.#finish();
    await watching;
  }

  /**
   * A host that is cut off may have lost its addresses to others by the time it is back, so it stops announcing them
   * now. Comparing itself with its desired state brings back those that are still its own. One that merely cannot reach
   * the control plane goes on as it is: its customers need not notice.
   */
  #carrierChanged(carrier: boolean): void {
    if (carrier) {
      this.#logger.info('the network is back');
      // Whatever is on its way would only be repeated after a pause of its own.
      this.#contact.abort(new Error('the network was away'));
      this.#pause.abort();
      return;
    }
    void this.#withdraw().then(() => this.#contact.abort(new Error('the host is cut off')));
  }

  async #withdraw(): Promise<void> {
    const { driver, stopTimeoutMs = 3_000 } = this.#options;
    try {
      await driver.withdraw();
      // What was on its way meanwhile may have announced an address again.
      await this.#queue.atMost(0, AbortSignal.timeout(stopTimeoutMs));
      await driver.withdraw();
      this.#logger.warn(
        'the host is cut off: it announces no address until it has compared itself with its desired state',
      );
    } catch (error) {
      this.#logger.error({ err: error }, 'the host is cut off, but could not stop announcing its addresses');
    }
  }

  /** Takes commands as they come, until the control plane does not answer. */
  async #follow(signal: AbortSignal, onContact: () => void): Promise<void> {
    const { waitSeconds = 30 } = this.#options;
    let after = 0;
    // Everything that is open comes first, whatever has been seen of it before.
    let caughtUp = false;
    const pointless = new Backoff({ firstMs: 50, longestMs: 5_000 });
    while (!signal.aborted) {
      await this.#untilRoom(signal);
      if (signal.aborted) return;
      // A poll ends in time for the next comparison.
      const untilReconcile = Math.max(0, Math.ceil((this.#reconcileAt - performance.now()) / 1_000));
      const wait = caughtUp ? Math.min(waitSeconds, untilReconcile) : 0;
      const request = { after, waitSeconds: wait, limit: COMMANDS_PER_POLL };
      const askedAt = performance.now();
      const { commands, unreadable } = await this.#controlPlane.commands(request, signal);
      onContact();
      this.#errors.report('commands that cannot be read are ignored', unreadable);
      const gap = hasGap(commands, Math.max(after, this.#snapshot.sequence));
      const taken = commands.filter((command) => this.#take(command));
      this.#reportCommands(taken);
      after = commands.at(-1)?.sequence ?? after;
      const entries = commands.length + unreadable.length;
      if (entries < COMMANDS_PER_POLL && !caughtUp) {
        caughtUp = true;
        after = Math.max(after, this.#snapshot.sequence);
      }
      if (gap) this.#logger.warn({ after }, 'commands are missing: reading the desired state again');
      if (gap) {
        await this.#reconcile(signal);
        // A snapshot that was read later knows every command: a number beyond it was never given to one.
        after = Math.min(after, this.#snapshot.sequence);
      } else if (performance.now() > this.#reconcileAt) await this.#reconcile(signal, after);
      // Otherwise an answer that never waits, or repeats itself, would keep the agent asking without end.
      const isTooSoon = wait > 0 && performance.now() - askedAt < SHORTEST_POLL_MS;
      if (taken.length > 0) pointless.reset();
      else if (entries > 0 || isTooSoon) await pointless.wait(signal);
    }
  }

  /**
   * Waits until the agent may take further commands, and continues to compare meanwhile. Commands that wait for their
   * acknowledgment count too: a control plane that sends and does not listen would fill the memory.
   */
  async #untilRoom(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && Math.max(this.#queue.pending, this.#inHand.size) > MOST_PENDING) {
      const due = AbortSignal.timeout(Math.max(0, Math.ceil(this.#reconcileAt - performance.now())));
      const either = AbortSignal.any([signal, due]);
      await this.#queue.atMost(MOST_PENDING, either);
      await this.#inHand.atMost(MOST_PENDING, either);
      if (due.aborted && !signal.aborted) await this.#reconcile(signal);
    }
  }

  /** Takes a command in hand, unless it is already; one that must not be carried out is acknowledged at once. */
  #take(command: AcceptedCommand | RejectedCommand): boolean {
    if (this.#inHand.has(command.sequence)) return false;
    this.#inHand.add(command.sequence);
    if ('reason' in command) this.#reject(command);
    else this.#enqueue(command);
    return true;
  }

  #reject({ sequence, generation, reason }: RejectedCommand): void {
    this.#sender.add({ sequence, generation, outcome: 'failed', message: `rejected by the host agent: ${reason}` });
  }

  #enqueue(command: AcceptedCommand): void {
    this.#failed.forget(command.address);
    const { address, generation, change } = command;
    this.#logger.debug({ address, generation, change }, 'taken');
    this.#newestCommands.set(
      command.address,
      Math.max(command.sequence, this.#newestCommands.get(command.address) ?? 0),
    );
    const overtaken = isOvertaken(command, this.#snapshot);
    // Before its turn comes, so that an older change that still waits is not applied any more.
    const remembered = overtaken ? Promise.resolve() : this.#remember(command.address, command.generation);
    this.#queue.enqueue(command.address, async () => {
      const { outcome, message } = await this.#apply(command, overtaken, remembered);
      const { sequence, generation } = command;
      this.#sender.add({ sequence, generation, outcome, message });
    });
  }

  /** In a line for all that came together, since a control plane may send nothing else. */
  #reportCommands(commands: readonly (AcceptedCommand | RejectedCommand)[]): void {
    const rejected: string[] = [];
    const tooLow: string[] = [];
    for (const command of commands) {
      if ('reason' in command)
        rejected.push(`command ${command.sequence}, generation ${command.generation}: ${command.reason}`);
      else if (this.#isTooLow(command)) tooLow.push(this.#describeTooLow(command));
    }
    this.#errors.report('commands rejected: they are not carried out', rejected);
    this.#errors.report(GENERATIONS_TOO_LOW, tooLow);
  }

  /**
   * Whether a command is the newest that there is about its address, and yet of an older generation than the host knows.
   * A command that was carried out before the agent was started is in the snapshot, so it does not count as late.
   */
  #isTooLow({ address, sequence, generation }: AcceptedCommand): boolean {
    const isNewest = sequence > this.#snapshot.sequence && sequence === this.#newestCommands.get(address);
    return isNewest && generation < this.#highest(address);
  }

  /**
   * The desired state has older generations than the host has applied: a wrong one that it received would keep an address
   * from being attached for ever, unseen. The host does not repair that by itself, because the generation is also the only
   * way to tell an old answer from a new one. Each generation of an address is reported once.
   */
  #reportTooLow(): void {
    const { sequence, attachments } = this.#snapshot;
    const found = new Map<CanonicalAddress, Generation>();
    const reasons: string[] = [];
    for (const [address, attachment] of attachments) {
      const hasNewer = (this.#newestCommands.get(address) ?? 0) > sequence;
      if (hasNewer || attachment.generation >= this.#highest(address)) continue;
      found.set(address, attachment.generation);
      if (this.#reportedTooLow.get(address) !== attachment.generation) reasons.push(this.#describeTooLow(attachment));
    }
    this.#reportedTooLow = found;
    this.#errors.report(GENERATIONS_TOO_LOW, reasons);
  }

  #describeTooLow({ address, generation }: { address: CanonicalAddress; generation: Generation }): string {
    return `${address}: received generation ${generation}, applied ${this.#highest(address)}`;
  }

  async #apply(
    command: AcceptedCommand,
    overtaken: boolean,
    remembered: Promise<void>,
  ): Promise<{ outcome: AcknowledgmentOutcome; message: string | null }> {
    const { address, generation, change, attachment } = command;
    if (overtaken || generation < this.#highest(address)) return { outcome: 'superseded', message: null };
    const startedAt = performance.now();
    try {
      if (attachment === null) await this.#options.driver.detach(address, generation);
      else await this.#options.driver.attach(attachment);
      await remembered;
      const milliseconds = performance.now() - startedAt;
      this.#logger.debug({ address, generation, change, milliseconds }, 'applied');
      return { outcome: 'applied', message: null };
    } catch (error) {
      this.#logger.warn({ err: error, address, generation, change }, 'a change failed');
      if (command.sequence === this.#newestCommands.get(address)) this.#failed.add(command);
      return { outcome: 'failed', message: messageOf(error) };
    }
  }

  /**
   * Compares the host with its desired state and puts what differs in line, before any command that comes later. With
   * `seen`, the newest command there is, the snapshot at hand will do when it is as new: whatever changes a host's desired
   * state gives it a command. So an idle host compares itself without asking.
   */
  async #reconcile(signal: AbortSignal, seen: number | null = null): Promise<void> {
    const { driver, reconcileIntervalMs = 60_000 } = this.#options;
    const age = performance.now() - this.#snapshot.readAt;
    if (seen !== this.#snapshot.sequence || age > OLDEST_SNAPSHOT_MS) await this.#readSnapshot(signal);
    const { sequence, attachments } = this.#snapshot;
    this.#reconcileAt = performance.now() + reconcileIntervalMs;
    this.#logger.debug({ sequence, attachments: attachments.size }, 'comparing with the desired state');
    this.#reportTooLow();
    const repairs = repairsOf(this.#snapshot, await driver.list());
    const broken = new Set(repairs.map(({ address }) => address));
    for (const address of this.#failed.addresses) {
      if (!broken.has(address)) this.#acknowledgeRepaired(address, attachments.get(address) ?? null);
    }
    for (const repair of repairs) {
      if (this.#isOutdated(repair, sequence)) continue;
      const remembered = repair.attachment
        ? this.#remember(repair.address, repair.attachment.generation)
        : Promise.resolve();
      this.#queue.enqueue(repair.address, () => this.#repair(repair, sequence, remembered));
    }
  }

  async #readSnapshot(signal: AbortSignal): Promise<void> {
    // An agent that was killed after a failure leaves it to this one to repair it, and to acknowledge that.
    const withFailures = !this.#knowsFailures;
    const { rejected, failed, ...state } = await this.#controlPlane.desiredState({ withFailures }, signal);
    this.#knowsFailures = true;
    this.#errors.report('entries of the desired state are rejected: the others are applied', rejected);
    for (const command of failed) {
      if ((this.#newestCommands.get(command.address) ?? 0) < command.sequence) this.#failed.add(command);
    }
    this.#snapshot = { ...state, readAt: performance.now() };
  }

  /** Whether the host has a newer command about the address than the snapshot knows. */
  #isOutdated({ address, attachment }: Repair, snapshotSequence: number): boolean {
    if ((this.#newestCommands.get(address) ?? 0) > snapshotSequence) return true;
    return attachment !== null && attachment.generation < this.#highest(address);
  }

  async #repair(repair: Repair, snapshotSequence: number, remembered: Promise<void>): Promise<void> {
    if (this.#isOutdated(repair, snapshotSequence)) return;
    const { address, attachment } = repair;
    const change = attachment ? 'attach' : 'detach';
    try {
      if (attachment) await this.#options.driver.attach(attachment);
      else await this.#options.driver.detach(address, this.#highest(address));
      await remembered;
      this.#logger.info({ address, change }, 'repaired a difference to the desired state');
      this.#acknowledgeRepaired(address, attachment);
    } catch (error) {
      this.#reconcileAt = Math.min(this.#reconcileAt, performance.now() + REPAIR_AGAIN_AFTER_MS);
      this.#logger.warn({ err: error, address, change }, 'a difference to the desired state could not be repaired');
    }
  }

  /** The host is as it should be about an address: what it has failed to do is done. A success replaces a failure. */
  #acknowledgeRepaired(address: Address, desired: DesiredAttachment | null): void {
    const command = this.#failed.takeRepaired(address, desired, this.#snapshot);
    if (command === null) return;
    const { sequence, generation } = command;
    this.#sender.add({ sequence, generation, outcome: 'applied', message: null });
  }

  #highest(address: CanonicalAddress): Generation {
    return this.#generations.get(address) ?? 0;
  }

  /** Raises the generation now; resolves when that is on file. Nobody may be waiting yet when that fails. */
  #remember(address: CanonicalAddress, generation: Generation): Promise<void> {
    const remembered = this.#generations.raise(address, generation);
    remembered.catch(() => undefined);
    return remembered;
  }

  /** Ends what is on its way, within limits: a driver that hangs must not keep the agent. */
  async #finish(): Promise<void> {
    const deadline = AbortSignal.timeout(this.#options.stopTimeoutMs ?? 3_000);
    await this.#queue.atMost(0, deadline);
    await this.#sender.drained(deadline);
    this.#sending.abort();
    this.#errors.flush();
  }
}

function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 1_000);
}
