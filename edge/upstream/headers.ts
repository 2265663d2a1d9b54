import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { HOP_BY_HOP } from '../../platform/http/passed-on.ts';

/** What a proxy in front may say of where a request came from, and nobody else. */
const BELIEVED = ['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'x-forwarded-port'] as const;

/** What clients of the v2 API send and upstreams read. */
const PASSED_ON = [
  ...['authorization', 'idempotency-key', 'user-agent', 'traceparent', 'tracestate', 'baggage'],
  ...['accept', 'accept-charset', 'accept-encoding', 'accept-language', 'cache-control'],
  ...['content-encoding', 'content-language', 'content-length', 'content-type'],
  ...['if-match', 'if-modified-since', 'if-none-match', 'if-range', 'if-unmodified-since', 'range'],
];

/** What {@link requestHeaders} is to say for the gateway. */
export interface RequestHeaderOptions {
  /** Name of the request, on this way and in every log. */
  requestId: string;
  /** Whether a proxy in front says truly where a request came from. */
  trustForwarded: boolean;
  /** Names of further fields that are passed on, in lower case. */
  further: readonly string[];
}

/**
 * The fields that go to an upstream, in the order, spelling and number in which they came: those that clients of the API
 * send, and no others, since there is no end of names by which a server may be told where a request came from, whose it
 * is, or that it is meant to be another one. `Host` is the upstream's own and is added by whoever connects. The node
 * answers `Expect: 100-continue` itself, so that is not passed on.
 */
export function requestHeaders(incoming: IncomingMessage, options: RequestHeaderOptions): string[] {
  const { requestId, trustForwarded, further } = options;
  const { headers, rawHeaders } = incoming;
  const passed = new Set([...PASSED_ON, ...further]);
  for (const name of named(headers.connection)) passed.delete(name);
  const kept: string[] = [];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const [name = '', value = ''] = rawHeaders.slice(at, at + 2);
    if (passed.has(name.toLowerCase())) kept.push(name, value);
  }
  kept.push('x-request-id', requestId, 'via', '1.1 edge');
  return [...kept, ...forwardedHeaders(incoming, trustForwarded)];
}

/** Where the request came from: what a proxy in front says, if it is believed, and this hop. */
function forwardedHeaders({ headers, socket }: IncomingMessage, trustForwarded: boolean): string[] {
  const said = (name: string) => (trustForwarded ? headers[name]?.toString() : undefined);
  const peer = socket.remoteAddress ?? 'unknown';
  const before = said('x-forwarded-for');
  const values: Record<(typeof BELIEVED)[number], string | undefined> = {
    'x-forwarded-for': before === undefined ? peer : `${before}, ${peer}`,
    'x-forwarded-proto': said('x-forwarded-proto') ?? 'http',
    'x-forwarded-host': said('x-forwarded-host') ?? headers.host,
    'x-forwarded-port': said('x-forwarded-port'),
  };
  return BELIEVED.flatMap((name) => {
    const value = values[name];
    return value === undefined ? [] : [name, value];
  });
}

/** The fields of an answer that go to the client; the request's name is added when the upstream does not say it. */
export function answerHeaders(headers: IncomingHttpHeaders, requestId: string): Record<string, string | string[]> {
  const dropped = new Set([...HOP_BY_HOP, ...named(headers.connection)]);
  const kept: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && !dropped.has(name)) kept[name] = value;
  }
  return { 'x-request-id': requestId, ...kept };
}

/** The fields that `Connection` names, which are of the hop too. */
function named(connection: string | string[] | undefined): string[] {
  return (connection ?? '')
    .toString()
    .split(',')
    .map((name) => name.trim().toLowerCase());
}
