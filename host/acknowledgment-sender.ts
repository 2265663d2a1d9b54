import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Acknowledgment } from '../domain/host-protocol.ts';
import { Backoff } from './backoff.ts';
import { type ControlPlane, ControlPlaneError } from './control-plane.ts';

const LARGEST_BATCH = 100;
/** An acknowledgment that comes while another is on its way does not wait for that one's answer. */
const REQUESTS_AT_ONCE = 4;

/** Options of {@link AcknowledgmentSender}. */
export interface AcknowledgmentSenderOptions {
  controlPlane: ControlPlane;
  logger: Logger;
  /** Called when the control plane has taken an acknowledgment, or never will. */
  onDone: (sequence: number) => void;
  /** Ends all sending at once. */
  signal: AbortSignal;
}

/** Sends acknowledgments as soon as there are any, and again until the control plane has them. */
export class AcknowledgmentSender {
  readonly #options: AcknowledgmentSenderOptions;
  readonly #backoff = new Backoff({ firstMs: 50, longestMs: 5_000 });
  #queue: Acknowledgment[] = [];
  #active = 0;
  #scheduled = false;
  #paused = false;

  constructor(options: AcknowledgmentSenderOptions) {
    this.#options = options;
  }

  /** Sends one soon. */
  add(acknowledgment: Acknowledgment): void {
    this.#queue.push(acknowledgment);
    this.#schedule();
  }

  /** Waits until everything is sent, or until the deadline. */
  async drained(deadline: AbortSignal): Promise<void> {
    while ((this.#queue.length > 0 || this.#active > 0) && !deadline.aborted) await sleep(5);
  }

  /** At the end of this turn of the command loop, so that what becomes ready together travels together. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#pump();
    });
  }

  #pump(): void {
    while (this.#active < REQUESTS_AT_ONCE && this.#queue.length > 0 && !this.#paused) {
      this.#active++;
      void this.#send(this.#queue.splice(0, LARGEST_BATCH)).finally(() => {
        this.#active--;
        this.#schedule();
      });
    }
  }

  async #send(batch: Acknowledgment[]): Promise<void> {
    const { controlPlane, logger, onDone, signal } = this.#options;
    try {
      const again = await controlPlane.acknowledge(batch, signal);
      for (const { sequence } of batch) if (!again.has(sequence)) onDone(sequence);
      if (again.size === 0) this.#backoff.reset();
      else await this.#repeat(batch.filter(({ sequence }) => again.has(sequence)));
    } catch (error) {
      if (signal.aborted) return;
      logger.warn({ err: error, acknowledgments: batch.length }, 'acknowledgments were not taken');
      if (error instanceof ControlPlaneError && error.isFinal) for (const { sequence } of batch) onDone(sequence);
      else await this.#repeat(batch);
    }
  }

  async #repeat(batch: Acknowledgment[]): Promise<void> {
    this.#queue = [...batch, ...this.#queue];
    this.#paused = true;
    await this.#backoff.wait(this.#options.signal);
    this.#paused = false;
  }
}
