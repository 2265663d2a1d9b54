import { setTimeout as sleep } from 'node:timers/promises';
import createClient, { type Client } from 'openapi-fetch';
import { ApiError } from './api-error.ts';
import type { paths as CustomerPaths } from './generated/customer-api.ts';
import type { paths as InternalPaths } from './generated/internal-api.ts';

/*
 * The API as its own OpenAPI documents describe it, for whoever calls it from TypeScript. What is generated from them is
 * in `generated/`; `npm run api-client` writes it anew.
 */

/** Every route of the API: what customers, operators and hosts may call. */
export type ApiPaths = CustomerPaths & InternalPaths;

/**
 * A caller of the API. Each of its calls resolves with `data`, which is typed by route and is there unless the answer has
 * no body, and throws an {@link ApiError} on everything but success.
 */
export type ApiClient = Client<ApiPaths>;

/** Sends a request and answers the beginning of its answer, as `fetch` does. */
export type Transport = (request: Request, options: { signal: AbortSignal }) => Promise<Response>;

/** How to reach the API. */
export interface ApiClientOptions {
  /** For example `http://127.0.0.1:8080`. */
  baseUrl: string;
  /** A customer's, an operator's or a host's; null sends none. */
  token: string | null;
  /** From sending a request until its whole answer is here, in milliseconds; default 30,000. */
  timeoutMs?: number;
  /** How often a request is sent at most while the API says 503, after the time that it asks for; default once. */
  attempts?: number;
  /** Default `fetch`. */
  transport?: Transport;
}

const TIMEOUT_MS = 30_000;

/** Opens a caller of the API; nothing is connected before the first call, and nothing has to be closed. */
export function openApiClient(options: ApiClientOptions): ApiClient {
  const { baseUrl, token, timeoutMs = TIMEOUT_MS, attempts = 1, transport = fetch } = options;
  return createClient<ApiPaths>({
    baseUrl,
    headers: token === null ? {} : { authorization: `Bearer ${token}` },
    fetch: (request) => sendRepeatedly(attempts, request, (each) => sendWhole(each, transport, timeoutMs)),
  });
}

/** The data of a call whose answer has a body; throws what the call throws. */
export async function dataOf<Data>(call: Promise<{ data?: Data }> | { data?: Data }): Promise<NonNullable<Data>> {
  const { data } = await call;
  if (data === undefined || data === null) throw new TypeError('the answer has no body');
  return data;
}

/** A 503 of the API has changed nothing, so that everything may be sent again. */
async function sendRepeatedly(
  attempts: number,
  request: Request,
  send: (request: Request) => Promise<Response>,
): Promise<Response> {
  for (let attempt = 1; attempt < attempts; attempt++) {
    try {
      return await send(request.clone());
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 503) throw error;
      await sleep((error.retryAfterSeconds ?? 1) * 1_000);
    }
  }
  return send(request);
}

/** Sends a request and reads its answer to the end, so that every failure is of one class. */
async function sendWhole(request: Request, transport: Transport, timeoutMs: number): Promise<Response> {
  const signal = AbortSignal.any([request.signal, AbortSignal.timeout(timeoutMs)]);
  let response: Response;
  let text: string;
  try {
    response = await transport(request, { signal });
    text = await response.text();
  } catch (error) {
    throw ApiError.unanswered(request, error);
  }
  const { status, headers } = response;
  const isJson = /^application\/json\b/i.test(headers.get('content-type') ?? '');
  if (!response.ok || (text !== '' && !isJson)) throw ApiError.answered(request, response, text);
  return new Response(text === '' ? null : text, { status, headers });
}
