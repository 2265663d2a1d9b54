import { isIPv4, isIPv6 } from 'node:net';

/** A host that a request names. */
export interface Host {
  /** A name in lower case, an IPv4 address, or an IPv6 address in brackets and its shortest form. */
  name: string;
  /** Null when the request names none. */
  port: number | null;
}

/** The longest name that the DNS has. */
const LONGEST_NAME = 253;
/** With a colon and a port. */
const LONGEST = LONGEST_NAME + 6;
const PARTS = /^([\w.-]+|\[[\da-f:.]+\])(?::([1-9]\d{0,4}))?$/i;
/** Letters, digits and hyphens (RFC 1123), and the underscore, which names of services in Docker Compose have. */
const LABELS = /^(?!-)[\w-]{1,63}(?<!-)(?:\.(?!-)[\w-]{1,63}(?<!-))*$/;
/** What the URL parser takes for an address, however it is written: `1`, `0x7f.1`, `010.0.0.1`. */
const NUMERIC_END = /(?:^|\.)(?:\d+|0x[\da-f]*)$/i;

/**
 * Reads a `Host` field or the authority of a URL; null unless it is a plain name or an address, with a port or without.
 * What the URL parser would read as another host than the one that is written is null too: `1`, `ü`, `a\b`, `user@host`,
 * a zone, a dot at the end.
 */
export function parseHost(text: string): Host | null {
  if (text.length > LONGEST) return null;
  const [, written, digits] = PARTS.exec(text) ?? [];
  if (written === undefined) return null;
  const port = digits === undefined ? null : Number(digits);
  if (port !== null && port > 65_535) return null;
  const name = written.startsWith('[') ? ipv6(written) : nameOrIpv4(written);
  return name === null ? null : { name, port };
}

/** As a `Host` field. */
export function formatHost({ name, port }: Host): string {
  return port === null ? name : `${name}:${port}`;
}

function ipv6(written: string): string | null {
  return isIPv6(written.slice(1, -1)) ? new URL(`http://${written}`).hostname : null;
}

function nameOrIpv4(written: string): string | null {
  if (NUMERIC_END.test(written)) return isIPv4(written) ? written : null;
  return written.length <= LONGEST_NAME && LABELS.test(written) ? written.toLowerCase() : null;
}
