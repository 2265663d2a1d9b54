import { setTimeout as sleep } from 'node:timers/promises';
import { StackError } from './errors.ts';

const REQUEST_TIMEOUT_MS = 15_000;
const ATTEMPTS_WHILE_UNAVAILABLE = 5;

/** One request to the API. */
export interface JsonRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly url: string;
  readonly token: string;
  readonly body?: unknown;
}

/** Its answer, whatever the status. */
export interface JsonAnswer {
  readonly status: number;
  /** The parsed JSON; undefined when the body is empty or is not JSON. */
  readonly body: unknown;
  /** From sending the request to having read the whole answer. */
  readonly milliseconds: number;
}

/** The API answered a status that was not expected. */
export class UnexpectedStatusError extends StackError {
  override readonly name = 'UnexpectedStatusError';
  readonly status: number;

  constructor(request: JsonRequest, answer: JsonAnswer) {
    super(`${request.method} ${request.url} was answered ${answer.status}: ${JSON.stringify(answer.body)}`);
    this.status = answer.status;
  }
}

/**
 * Sends a request and takes the answer as it is.
 *
 * @throws when there is no answer within 15 s, or no connection.
 */
export async function send(request: JsonRequest): Promise<JsonAnswer> {
  const started = performance.now();
  const response = await fetch(request.url, {
    method: request.method,
    headers: {
      authorization: `Bearer ${request.token}`,
      ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
  });
  const text = await response.text();
  return { status: response.status, body: parsed(text), milliseconds: performance.now() - started };
}

/**
 * Sends a request of which one status is expected. An API that says 503 is asked again a few times, as it demands.
 *
 * @throws {UnexpectedStatusError} on any other status.
 */
export async function expectStatus(request: JsonRequest, ...expected: readonly number[]): Promise<JsonAnswer> {
  for (let attempt = 1; ; attempt += 1) {
    const answer = await send(request);
    if (expected.includes(answer.status)) return answer;
    if (answer.status !== 503 || attempt === ATTEMPTS_WHILE_UNAVAILABLE)
      throw new UnexpectedStatusError(request, answer);
    await sleep(attempt * 300);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
