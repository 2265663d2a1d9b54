import { z } from 'zod';
import { EnvironmentError } from '../environment/errors.ts';

/** An answer of the API. */
export interface Answer {
  /** Method and URL that it answers. */
  request: string;
  status: number;
  headers: Headers;
  /** The body as it came. */
  text: string;
  /** The JSON body; undefined when empty or not JSON. */
  body: unknown;
}

/** What {@link Http} sends besides method and path. */
export interface RequestOptions {
  body?: unknown;
  /** Sent instead of a JSON body, as it is. */
  rawBody?: string | Uint8Array<ArrayBuffer>;
  headers?: Record<string, string>;
}

/** Sends requests with a token to one API process. */
export class Http {
  readonly baseUrl: string;
  readonly token: string | null;

  constructor(baseUrl: string, token: string | null) {
    this.baseUrl = baseUrl;
    this.token = token;
  }

  /** The same caller at another process. */
  at(baseUrl: string): Http {
    return new Http(baseUrl, this.token);
  }

  async send(method: string, path: string, { body, rawBody, headers = {} }: RequestOptions = {}): Promise<Answer> {
    const payload = rawBody ?? (body === undefined ? undefined : JSON.stringify(body));
    const response = await fetch(`${this.baseUrl}${path}`, {
      method,
      headers: {
        ...(this.token === null ? {} : { authorization: `Bearer ${this.token}` }),
        ...(payload === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(payload === undefined ? {} : { body: payload }),
      redirect: 'manual',
      signal: AbortSignal.timeout(30_000),
    });
    const text = await response.text();
    const request = `${method} ${this.baseUrl}${path}`;
    return { request, status: response.status, headers: response.headers, text, body: parseJson(text) };
  }

  get(path: string, options?: RequestOptions): Promise<Answer> {
    return this.send('GET', path, options);
  }

  post(path: string, body?: unknown, options: RequestOptions = {}): Promise<Answer> {
    return this.send('POST', path, { ...options, body });
  }

  put(path: string, body?: unknown): Promise<Answer> {
    return this.send('PUT', path, { body });
  }

  delete(path: string): Promise<Answer> {
    return this.send('DELETE', path);
  }
}

/** The API answered something else than what was expected. */
export class UnexpectedAnswerError extends EnvironmentError {
  override readonly name = 'UnexpectedAnswerError';
  readonly status: number;

  constructor({ status, text, request }: Answer, expected: number, misfit = '') {
    super(`${request}: expected ${expected}, got ${status} ${text.slice(0, 500)}${misfit}`);
    this.status = status;
  }
}

/**
 * The answer's body as `schema` reads it.
 *
 * @throws {UnexpectedAnswerError} when the status is another or the body does not fit.
 */
export function expectAnswer<Schema extends z.ZodType>(
  answer: Answer,
  status: number,
  schema: Schema,
): z.infer<Schema> {
  const parsed = schema.safeParse(answer.body);
  if (answer.status === status && parsed.success) return parsed.data;
  const misfit = parsed.success ? '' : `; it does not fit: ${z.prettifyError(parsed.error)}`;
  throw new UnexpectedAnswerError(answer, status, misfit);
}

/** What JSON says; undefined when it is empty or no JSON, as a line that is being written is not. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
