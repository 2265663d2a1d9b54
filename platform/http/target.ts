import { type Host, parseHost } from './host.ts';
import { malformed, nothingThere } from './rejection.ts';

/** What a request asks for. */
export interface Target {
  /** Path and query, normalized: what is routed and what is forwarded. */
  target: string;
  /** The host that an absolute target names; null for a target that is a path. */
  authority: Host | null;
}

const PRINTABLE = /^[\x21\x22\x24-\x7e]+$/;
const ABSOLUTE = /^https?:\/\/([^/?]*)(.*)$/i;
/** A path that is as it should be, which nearly all are: no escapes, nothing empty, no parameters. */
const PLAIN_PATH = /^(?:\/[\w!$&'()*+,=:@~.-]+)*\/?$/;
const PATH = /^[\w!$&'()*+,=:@~.%;/-]*$/;
const DOT_SEGMENT = /\/\.{1,2}(?:\/|$)/;
/** NUL, what ends a path or a segment (`#`, `/`, `;`, `?`, a backslash), and an escape of an escape. */
const HIDDEN = /%(?:00|23|2f|3b|3f|5c|25[\da-f]{2})/i;
const UNRESERVED = /[\w.~-]/;

/**
 * Reads the target of a request line (RFC 9112, 3.2): a path, or a whole URL. Throws RequestRejectedError for any other
 * form and for what {@link normalizeTarget} rejects.
 */
export function readTarget(written: string): Target {
  if (written.startsWith('/')) return { target: normalizeTarget(written), authority: null };
  const [, name, rest = ''] = ABSOLUTE.exec(written) ?? [];
  if (name === undefined) throw malformed('form', 'The request target must be a path or a URL.');
  const authority = parseHost(name);
  if (authority === null) throw malformed('host', 'The URL names no valid host.');
  return { target: normalizeTarget(rest.startsWith('/') ? rest : `/${rest}`), authority };
}

/**
 * Path and query in the one way in which they are routed and forwarded: escapes of letters, digits and `-._~` are
 * decoded, other escapes get capitals (RFC 3986, 6.2.2). Throws RequestRejectedError for whatever two readers may read
 * in two ways: 400 for characters that a URL does not have, and for dot segments; 404 for empty segments, parameters
 * after a semicolon, malformed and hidden escapes, and any escape in the first, second and fourth segment, by which
 * requests are routed. The query is never decoded.
 */
export function normalizeTarget(written: string): string {
  if (!PRINTABLE.test(written)) throw malformed('character', 'The request target has a character that no URL has.');
  const queryAt = written.indexOf('?');
  const path = queryAt === -1 ? written : written.slice(0, queryAt);
  const normal = PLAIN_PATH.test(path) ? path : normalizePath(path);
  if (!normal.startsWith('/')) throw malformed('form', 'The request target must be a path or a URL.');
  if (DOT_SEGMENT.test(normal)) throw malformed('dot_segment', 'The path has a dot segment.');
  return queryAt === -1 ? normal : normal + written.slice(queryAt);
}

function normalizePath(path: string): string {
  if (!PATH.test(path)) throw malformed('character', 'The path has a character that no path has.');
  if (path.includes('//') || path.includes(';') || HIDDEN.test(path) || !isUtf8(path)) throw nothingThere();
  const normal = path.replace(/%[\da-f]{2}/gi, (written) => {
    const character = String.fromCharCode(Number.parseInt(written.slice(1), 16));
    return UNRESERVED.test(character) ? character : written.toUpperCase();
  });
  // Filters of proxies look at the first segment as it is written.
  const [, first = ''] = path.split('/', 2);
  const [, , second = '', , fourth = ''] = normal.split('/', 5);
  if ([first, second, fourth].some((word) => word.includes('%'))) throw nothingThere();
  return normal;
}

/** Whether all escapes are whole, and together UTF-8. */
function isUtf8(path: string): boolean {
  try {
    decodeURIComponent(path);
    return true;
  } catch {
    return false;
  }
}
