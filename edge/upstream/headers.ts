import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';

/** Fields that are meant for the next hop alone (RFC 9110, 7.6.1), and what becomes of them here is our own matter. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** What says where a request came from: believed from a proxy in front, and from nobody else. */
const FORWARDING = new Set([
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
  'x-real-ip',
]);

/** What {@link requestHeaders} is to say for the gateway. */
export interface RequestHeaderOptions {
  /** Name of the request, on this way and in every log. */
  requestId: string;
  /** Whether a proxy in front says truly where a request came from. */
  trustForwarded: boolean;
}

/**
 * The fields that go to an upstream, in the order, spelling and number in which they came: without those of the hop and
 * those that are said anew. `Host` is the upstream's own and is added by whoever connects. The node answers
 * `Expect: 100-continue` itself, so that is not passed on.
 */
export function requestHeaders(incoming: IncomingMessage, options: RequestHeaderOptions): string[] {
  const { requestId, trustForwarded } = options;
  const { headers, socket, rawHeaders } = incoming;
  const dropped = new Set([...HOP_BY_HOP, ...named(headers.connection), 'host', 'expect', 'x-request-id']);
  for (const name of trustForwarded ? ['x-forwarded-for'] : FORWARDING) dropped.add(name);
  const kept: string[] = [];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const [name = '', value = ''] = rawHeaders.slice(at, at + 2);
    if (!dropped.has(name.toLowerCase())) kept.push(name, value);
  }
  const said = (name: string) => (trustForwarded ? headers[name] : undefined);
  const peer = socket.remoteAddress ?? 'unknown';
  const before = said('x-forwarded-for');
  kept.push('x-request-id', requestId, 'via', '1.1 edge');
  kept.push('x-forwarded-for', before === undefined ? peer : `${before}, ${peer}`);
  if (said('x-forwarded-proto') === undefined) kept.push('x-forwarded-proto', 'http');
  if (said('x-forwarded-host') === undefined && headers.host) kept.push('x-forwarded-host', headers.host);
  return kept;
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
