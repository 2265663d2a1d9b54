import { z } from 'zod';
import { shown } from '../../platform/text/visible.ts';

const TIMEOUT_MS = 60_000;
const errorSchema = z.object({ message: z.string() });

/** The API rejected a command, or did not answer; the message is for the operator, and what it repeats is visible. */
export class AdminError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'AdminError';
  }
}

/** How to reach the API. */
export interface InternalApiOptions {
  apiUrl: string;
  adminToken: string;
}

/** The routes for operators, client side. */
export class InternalApi {
  readonly #apiUrl: string;
  readonly #adminToken: string;

  constructor({ apiUrl, adminToken }: InternalApiOptions) {
    this.#apiUrl = apiUrl;
    this.#adminToken = adminToken;
  }

  /** Sends a request to a path below `/internal/v1` and reads its answer. Throws {@link AdminError}. */
  async request<Schema extends z.ZodType>(
    schema: Schema,
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    body?: unknown,
  ): Promise<z.infer<Schema>> {
    const response = await this.#send(method, path, body);
    const text = await response.text();
    const answer: unknown = text === '' ? null : parseJson(text);
    if (!response.ok) {
      const message = errorSchema.safeParse(answer).data?.message ?? text.slice(0, 300);
      throw new AdminError(shown`${message} (${response.status})`);
    }
    const parsed = schema.safeParse(answer);
    if (parsed.success) return parsed.data;
    const problems = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw new AdminError(shown`The API's answer is not understood: ${problems.join('; ')}`);
  }

  async #send(method: string, path: string, body: unknown): Promise<Response> {
    const url = new URL(`/internal/v1${path}`, this.#apiUrl);
    try {
      return await fetch(url, {
        method,
        headers: { authorization: `Bearer ${this.#adminToken}`, 'content-type': 'application/json' },
        body: body === undefined ? null : JSON.stringify(body),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
    } catch (error) {
      const reason = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
      throw new AdminError(shown`${this.#apiUrl} does not answer: ${reason}`, error);
    }
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
