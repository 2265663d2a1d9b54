import { z } from 'zod';
import type { Acknowledgment } from '../domain/host-protocol.ts';
import { type CheckedState, type CommandBatch, parseCommands, parseDesiredState } from './answers.ts';
import type { AttachmentPolicy } from './attachment-policy.ts';
import { readBody } from './bounded-body.ts';
import { quoted } from './canonical-address.ts';

const resultsSchema = z.object({
  results: z.array(z.object({ sequence: z.int(), status: z.string() })).max(500),
});

const errorSchema = z.object({ message: z.string() });

/** Longest answers, in bytes. A desired state has about 150 for each of its most attachments, and twice as many. */
const LONGEST_STATE = 64 * 1_024 * 1_024;
const LONGEST_ANSWER = 1_024 * 1_024;

const ANSWER_TIMEOUT_MS = 10_000;
const LONGEST_MESSAGE = 500;

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
  /** What of the answers may be carried out. */
  policy: AttachmentPolicy;
}

/** The host protocol, client side. Every method throws {@link ControlPlaneError}. */
export class ControlPlane {
  readonly #apiUrl: string;
  readonly #token: string;
  readonly #policy: AttachmentPolicy;

  constructor({ apiUrl, token, policy }: ControlPlaneOptions) {
    this.#apiUrl = apiUrl;
    this.#token = token;
    this.#policy = policy;
  }

  /**
   * Everything this host is to announce; with failures also what the host has said it could not do, where nothing
   * newer was said to it. An older control plane tells no failures.
   */
  async desiredState({ withFailures }: { withFailures: boolean }, signal: AbortSignal): Promise<CheckedState> {
    const path = withFailures ? '/host/v1/desired-state?failed=true' : '/host/v1/desired-state';
    const parse = (answer: unknown) => parseDesiredState(answer, this.#policy);
    return this.#request(parse, path, { signal, longest: LONGEST_STATE });
  }

  /** Unacknowledged commands after a sequence, in order; waits for a first one. */
  async commands(
    { after, waitSeconds, limit }: { after: number; waitSeconds: number; limit: number },
    signal: AbortSignal,
  ): Promise<CommandBatch> {
    const path = `/host/v1/events?after=${after}&wait=${waitSeconds}&limit=${limit}`;
    const parse = (answer: unknown) => parseCommands(answer, limit, this.#policy);
    return this.#request(parse, path, { signal, waitMs: waitSeconds * 1_000 });
  }

  /** Says what came of commands; answers the sequences that have to be said again. */
  async acknowledge(acknowledgments: Acknowledgment[], signal: AbortSignal): Promise<Set<number>> {
    const body = JSON.stringify({ acknowledgments });
    const parse = (answer: unknown) => resultsSchema.parse(answer);
    const { results } = await this.#request(parse, '/host/v1/acknowledgments', { signal, body });
    return new Set(results.filter(({ status }) => status === 'retry').map(({ sequence }) => sequence));
  }

  async #request<Result>(
    parse: (answer: unknown) => Result,
    path: string,
    {
      signal,
      body,
      waitMs = 0,
      longest = LONGEST_ANSWER,
    }: { signal: AbortSignal; body?: string; waitMs?: number; longest?: number },
  ): Promise<Result> {
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(waitMs + ANSWER_TIMEOUT_MS)]);
    const answer = await this.#fetch(path, { signal: deadline, body, longest });
    try {
      return parse(answer);
    } catch (error) {
      if (!(error instanceof z.ZodError)) throw error;
      const problems = z.prettifyError(error).slice(0, LONGEST_MESSAGE);
      throw new ControlPlaneError(`answer to ${path} is not understood: ${problems}`, null);
    }
  }

  async #fetch(
    path: string,
    { signal, body, longest }: { signal: AbortSignal; body: string | undefined; longest: number },
  ): Promise<unknown> {
    const headers = { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' };
    try {
      const method = body === undefined ? 'GET' : 'POST';
      // Redirected, an agent would ask whatever host the answer names.
      const request: RequestInit = { method, headers, signal, body: body ?? null, redirect: 'error' };
      const response = await fetch(new URL(path, this.#apiUrl), request);
      const answer: unknown = JSON.parse(await readBody(response, longest));
      if (response.ok) return answer;
      const message = quoted(errorSchema.safeParse(answer).data?.message ?? 'no message', LONGEST_MESSAGE);
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
