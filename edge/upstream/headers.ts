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

/** What a proxy in front may say of where a request came from, and nobody else. */
const BELIEVED = ['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'x-forwarded-port'] as const;

/** Other signs than these are read as hyphens by many servers: `X_Forwarded_For` is another name of `X-Forwarded-For`. */
const PLAIN_NAME = /^[a-z\d-]+$/;

/** Names by which proxies tell servers where a request came from, whose it is, or that it is meant to be another one. */
const PROXY_NAMES = new RegExp(
  [
    '^(?:x-)?forward',
    // X-Real-IP, True-Client-IP, CF-Connecting-IP, X-Remote-Addr, X-Azure-ClientIP, and whatever else names an address.
    '(?:^|-)(?:client|remote|socket)?-?(?:ip|ipv4|ipv6|addr|address)$',
    '^x-(?:accel|authenticated|client|envoy|http|method|original|originating|proxy|proxyuser|remote|rewrite|sendfile|shadow|ssl|tls)(?:-|$)',
    '^(?:cf-pseudo|client-cert|proxy|remote|ssl|wl-proxy)(?:-|$)',
    '-override$',
    '^(?:x-)?(?:host|https|path|scheme|script-name|uri|url|url-scheme)$',
    '^(?:front-end-https|x-arr-ssl)$',
  ].join('|'),
);

/** What {@link requestHeaders} is to say for the gateway. */
export interface RequestHeaderOptions {
  /** Name of the request, on this way and in every log. */
  requestId: string;
  /** Whether a proxy in front says truly where a request came from. */
  trustForwarded: boolean;
}

/** Whether only a proxy may say this, in any spelling that a server may take for it; `name` is in lower case. */
export function isForProxies(name: string): boolean {
  return !PLAIN_NAME.test(name) || PROXY_NAMES.test(name);
}

/**
 * The fields that go to an upstream, in the order, spelling and number in which they came: without those of the hop and
 * those that only proxies may say, which are said anew. `Host` is the upstream's own and is added by whoever connects.
 * The node answers `Expect: 100-continue` itself, so that is not passed on.
 */
export function requestHeaders(incoming: IncomingMessage, options: RequestHeaderOptions): string[] {
  const { requestId, trustForwarded } = options;
  const { headers, rawHeaders } = incoming;
  const dropped = new Set([...HOP_BY_HOP, ...named(headers.connection), 'host', 'expect', 'x-request-id']);
  const kept: string[] = [];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const [name = '', value = ''] = rawHeaders.slice(at, at + 2);
    const lowerCase = name.toLowerCase();
    if (!dropped.has(lowerCase) && !isForProxies(lowerCase)) kept.push(name, value);
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
