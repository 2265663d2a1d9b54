import { z } from 'zod';
import type { Acknowledgment, DesiredState, FailedEvent, HostEvent } from '../domain/host-event.ts';

const hostEventSchema = z
  .object({
    sequence: z.int(),
    change: z.enum(['attach', 'detach']),
    address: z.string(),
    generation: z.int(),
    droplet_id: z.int().nullable(),
    anchor: z.string().nullable(),
    issued_at: z.string(),
  })
  .transform(
    ({ droplet_id, issued_at, ...event }): HostEvent => ({ ...event, dropletId: droplet_id, issuedAt: issued_at }),
  );

const eventsSchema = z.object({ events: z.array(hostEventSchema) });

const resultsSchema = z.object({ results: z.array(z.object({ sequence: z.int(), status: z.string() })) });

const attachmentSchema = z
  .object({ address: z.string(), generation: z.int(), droplet_id: z.int(), anchor: z.string() })
  .transform(({ droplet_id, ...attachment }) => ({ ...attachment, dropletId: droplet_id }));

const desiredStateSchema = z.object({
  host: z.string(),
  sequence: z.int(),
  attachments: z.array(attachmentSchema),
}) satisfies z.ZodType<DesiredState>;

const failedEventsSchema = z.object({
  failed_events: z
    .array(
      z.object({ sequence: z.int(), change: z.enum(['attach', 'detach']), address: z.string(), generation: z.int() }),
    )
    .default([]),
}) satisfies z.ZodType<{ failed_events: FailedEvent[] }>;

const errorSchema = z.object({ message: z.string() });

const ANSWER_TIMEOUT_MS = 10_000;

/** The control plane did not give a usable answer; `status` is null when it gave none. */
export class ControlPlaneError extends Error {
  readonly status: number | null;

  constructor(message: string, status: number | null, cause?: unknown) {
    super(message, { cause });
    this.name = 'ControlPlaneError';
    this.status = status;
  }

  /** The request itself is at fault, so that sending it again cannot help. */
  get isFinal(): boolean {
    return this.status === 400 || this.status === 413 || this.status === 422;
  }
}

/** How an agent reaches the control plane. */
export interface ControlPlaneOptions {
  apiUrl: string;
  token: string;
}

/** The host protocol, client side. Every method throws {@link ControlPlaneError}. */
export class ControlPlane {
  readonly #apiUrl: string;
  readonly #token: string;

  constructor({ apiUrl, token }: ControlPlaneOptions) {
    this.#apiUrl = apiUrl;
    this.#token = token;
  }

  /** Everything this host is to answer for. */
  async desiredState(signal: AbortSignal): Promise<DesiredState> {
    return this.#request(desiredStateSchema, '/host/v1/desired-state', { signal });
  }

  /** The same, and what the host has said it could not do, where nothing newer was said to it; nothing from an older one. */
  async desiredStateAndFailures(signal: AbortSignal): Promise<{ state: DesiredState; failed: FailedEvent[] }> {
    const schema = desiredStateSchema.and(failedEventsSchema);
    const { failed_events, ...state } = await this.#request(schema, '/host/v1/desired-state?failed=true', { signal });
    return { state, failed: failed_events };
  }

  /** Unacknowledged events after a sequence, in order; waits for a first one. */
  async events(
    { after, waitSeconds, limit }: { after: number; waitSeconds: number; limit: number },
    signal: AbortSignal,
  ): Promise<HostEvent[]> {
    const path = `/host/v1/events?after=${after}&wait=${waitSeconds}&limit=${limit}`;
    const { events } = await this.#request(eventsSchema, path, { signal, waitMs: waitSeconds * 1_000 });
    return events;
  }

  /** Says what came of events; answers the sequences that have to be said again. */
  async acknowledge(acknowledgments: Acknowledgment[], signal: AbortSignal): Promise<Set<number>> {
    const body = JSON.stringify({ acknowledgments });
    const { results } = await this.#request(resultsSchema, '/host/v1/acknowledgments', { signal, body });
    return new Set(results.filter(({ status }) => status === 'retry').map(({ sequence }) => sequence));
  }

  async #request<Schema extends z.ZodType>(
    schema: Schema,
    path: string,
    { signal, body, waitMs = 0 }: { signal: AbortSignal; body?: string; waitMs?: number },
  ): Promise<z.infer<Schema>> {
    const answer = await this.#fetch(
      path,
      AbortSignal.any([signal, AbortSignal.timeout(waitMs + ANSWER_TIMEOUT_MS)]),
      body,
    );
    const parsed = schema.safeParse(answer);
    if (parsed.success) return parsed.data;
    throw new ControlPlaneError(`answer to ${path} is not understood: ${z.prettifyError(parsed.error)}`, null);
  }

  async #fetch(path: string, signal: AbortSignal, body: string | undefined): Promise<unknown> {
    const headers = { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' };
    try {
      const method = body === undefined ? 'GET' : 'POST';
      const response = await fetch(new URL(path, this.#apiUrl), { method, headers, signal, body: body ?? null });
      const answer: unknown = await response.json();
      if (response.ok) return answer;
      const message = errorSchema.safeParse(answer).data?.message ?? 'no message';
      throw new ControlPlaneError(`${path} answered ${response.status}: ${message}`, response.status);
    } catch (error) {
      if (error instanceof ControlPlaneError) throw error;
      throw new ControlPlaneError(`${path} was not answered: ${describe(error)}`, null, error);
    }
  }
}

/** The message of a failed fetch is only `fetch failed`; the reason is in its cause. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message || error.message : error.message;
}
