import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import { z } from 'zod';
import type { Acknowledgment, DesiredAttachment } from '../../domain/host-protocol.ts';
import { useHttpServer } from './http-server.ts';

/** An event as a test writes it. */
export interface ScriptedCommand {
  sequence: number;
  change: 'attach' | 'detach';
  address: string;
  generation: number;
  dropletId?: number;
}

/** What a host acknowledges with. */
export const acknowledgmentsSchema = z.object({
  acknowledgments: z.array(
    z.object({
      sequence: z.int(),
      generation: z.int(),
      outcome: z.enum(['applied', 'failed', 'superseded']),
      message: z.string().nullable(),
    }),
  ),
});

/** The anchor that every scripted droplet has. */
export const ANCHOR = '10.0.0.1';

/**
 * The control plane as one host sees it, for what the real one does only when something is broken: missing events, and
 * events that are older than the host.
 */
export class ScriptedControlPlane {
  url = '';
  /** Open events; an acknowledged one is taken out. */
  events: ScriptedCommand[] = [];
  desired: { sequence: number; attachments: DesiredAttachment[] } = { sequence: 0, attachments: [] };
  readonly acknowledged: Acknowledgment[] = [];
  /** How often the desired state was read. */
  snapshots = 0;
  /** Sequences of which it says once that they have to be said again. */
  readonly retryOnce = new Set<number>();

  /** The outcome that the host reported for a command. */
  outcomeOf(sequence: number): string | undefined {
    return this.acknowledged.findLast((acknowledgment) => acknowledgment.sequence === sequence)?.outcome;
  }

  get app(): Hono {
    const app = new Hono();
    app.get('/host/v1/desired-state', (c) => {
      this.snapshots++;
      const attachments = this.desired.attachments.map(({ dropletId, ...rest }) => ({
        ...rest,
        droplet_id: dropletId,
      }));
      return c.json({ host: 'scripted', sequence: this.desired.sequence, attachments });
    });
    app.get('/host/v1/events', async (c) => {
      const after = Number(c.req.query('after'));
      const deadline = Date.now() + Number(c.req.query('wait')) * 1_000;
      let events = this.#after(after);
      while (events.length === 0 && Date.now() < deadline && !c.req.raw.signal.aborted) {
        await new Promise((resolve) => setTimeout(resolve, 5));
        events = this.#after(after);
      }
      return c.json({ events });
    });
    app.post('/host/v1/acknowledgments', async (c) => {
      const { acknowledgments } = acknowledgmentsSchema.parse(await c.req.json());
      const results = acknowledgments.map((acknowledgment) => this.#take(acknowledgment));
      return c.json({ results });
    });
    return app;
  }

  #after(sequence: number) {
    return this.events
      .filter((event) => event.sequence > sequence)
      .map(({ dropletId, ...event }) => ({
        ...event,
        droplet_id: dropletId ?? null,
        anchor: dropletId === undefined ? null : ANCHOR,
        issued_at: new Date().toISOString(),
      }));
  }

  #take(acknowledgment: Acknowledgment): { sequence: number; status: string } {
    const { sequence } = acknowledgment;
    if (this.retryOnce.delete(sequence)) return { sequence, status: 'retry' };
    this.acknowledged.push(acknowledgment);
    this.events = this.events.filter((event) => event.sequence !== sequence);
    return { sequence, status: 'recorded' };
  }
}

/** A scripted control plane of the running test. */
export async function useScriptedControlPlane(): Promise<ScriptedControlPlane> {
  const controlPlane = new ScriptedControlPlane();
  controlPlane.url = await useHttpServer(getRequestListener(controlPlane.app.fetch));
  return controlPlane;
}
