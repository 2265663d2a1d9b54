import { type SeededRandom, seededRandom } from '../../dev/kit/random.ts';
import type { RawRequest } from './raw-http.ts';

/** What is no name and no address, though many parsers take it for one, or for the beginning of a URL. */
export const HOSTILE_HOSTS = [
  ...['', ' ', '.', '-', ':', ':80', '/', '?', '#', '@', '*', '%', '[', ']', '[]', '[:80', '_.', '-a', 'a-', 'a.-b'],
  ...['1', '127', '2130706433', '0x7f000001', '0x7f.1', '0x', '127.1', '0177.0.0.1', '127.0.0.01', '1.2.3.4.5'],
  ...['256.0.0.1', '127.0.0.1.', 'api.', 'a..b', '.a', 'api.1', 'api.0x1', 'api.0X', '１２７.0.0.1'],
  ...['1/host?', '1/zzzz?', '1/internal/v1/accounts?', 'a/host?', 'a?', 'a#', 'a\\b', 'a/b', 'a\\..\\internal'],
  ...['ü', 'ü.ü', 'ü.ü.ü.ü/internal/v1/accounts?xx', '\u00ad', 'a\u00ad', 'ａ', 'xn--', 'xn--\u00fc', '\u200b'],
  ...[
    'user@host',
    'user:password@host',
    '@host',
    'host@',
    'a:b:c',
    'a:b',
    'a:',
    'a:0',
    'a:080',
    'a:65536',
    'a:99999999',
  ],
  ...['a:+80', 'a:-1', 'a:80:80', 'a:8 0', 'a b', 'a,b', 'a;b', 'a"', "a'", 'a`', 'a<b>', 'a{b}', 'a|b', 'a^b', 'a~'],
  ...['%61', 'a%2eb', 'a%00', 'a%2f', '%', 'a\tb', 'http://a', '//a', 'a=b', 'a&b', 'a!', 'a$', '(a)', 'a+b'],
  ...['::1', '[::1', '::1]', '[::1]x', '[::1]:', '[::1]:x', '[::1%25lo]', '[fe80::1%lo]', '[v1.a]', '[::g]', '[1]'],
  ...['[::1]:65536', '[1:2:3:4:5:6:7:8:9]', '[::ffff:1.2.3.4.5]', `${'a'.repeat(64)}.b`, `${'a.'.repeat(127)}ab`],
] as const;

/** What a request may name, and how the URL parser writes it. */
export const HONEST_HOSTS = [
  ...['a', 'api', 'API.Example.COM', 'api.example.com:443', 'a-b.c', 'reserved_ip_api:8080', '1a', '1.a', 'a.b1'],
  ...['127.0.0.1', '127.0.0.1:8080', '0.0.0.0:1', '255.255.255.255:65535', 'xn--bcher-kva.example'],
  ...[
    '[::1]',
    '[::1]:8080',
    '[2001:DB8::1]',
    '[0:0:0:0:0:0:0:1]:80',
    '[::ffff:1.2.3.4]',
    '0xg',
    'a.0x1.b',
    '1.2.3.4.a',
  ],
] as const;

/** Sees a path as some server, proxy or library does; none of them may see another than the one that was routed. */
export const READERS: readonly ((path: string) => string)[] = [
  (path) => decoded(path),
  (path) => decoded(decoded(path)),
  (path) => path.toLowerCase(),
  (path) => decoded(path).toLowerCase(),
  (path) => path.replace(/;[^/]*/g, ''),
  (path) => decoded(path).replace(/;[^/]*/g, ''),
  (path) => path.replace(/\/{2,}/g, '/'),
  (path) => decoded(path).replace(/[/\\]+/g, '/'),
  (path) => path.replace(/\\/g, '/'),
  (path) => path.split(/%00|\0|#/)[0] ?? '',
  (path) => decoded(path).split(/[\0?#]/)[0] ?? '',
  (path) => new URL(`http://a${path}`).pathname,
  (path) => new URL(`http://a${decoded(path)}`).pathname,
  (path) => new URL(`http://a${decoded(decoded(path))}`).pathname,
  (path) => path.replace(/[\t\n\r]/g, ''),
];

function decoded(text: string): string {
  return text.replace(/%([\da-f]{2})/gi, (_, digits) => String.fromCharCode(Number.parseInt(String(digits), 16)));
}

const PIECES = [
  ...[
    '/',
    '//',
    '/./',
    '/../',
    '/%2e/',
    '/%2e%2e/',
    '/.%2E/',
    '/%2E./',
    '/..;/',
    '/..%2f',
    '/..%5c',
    '/..\\',
    '\\',
    '\\..\\',
  ],
  ...['/%252e%252e/', '/%2e%2e%2f', '/.%00./', '/..%00/', '/%c0%ae%c0%ae/', '/%u002e%u002e/', '/..%252f', '/...//'],
  ...[
    ';',
    ';x',
    ';x=/../',
    '%3b',
    '%00',
    '%09',
    '\t',
    '\f',
    '%20',
    '%0a',
    '%0d%0a',
    '%2f',
    '%5c',
    '%3f',
    '?',
    '#',
    '%23',
  ],
  ...[
    '?/../',
    '#/../',
    '%',
    '%zz',
    '%2',
    '\x80',
    '\xff',
    '%ff',
    '%25',
    '%2525',
    '*',
    '@',
    ':',
    '|',
    '"',
    '<',
    '`',
    '{}',
    '^',
  ],
] as const;

/** A spelling of a path that some reader may take for it, or for another one; the same for the same random numbers. */
export function respell(path: string, random: SeededRandom): string {
  let spelled = path;
  for (let changes = random.below(3); changes > 0; changes--) spelled = change(spelled, random);
  return spelled;
}

function change(path: string, random: SeededRandom): string {
  const at = 1 + random.below(path.length);
  const [before, after] = [path.slice(0, at), path.slice(at)];
  const code = after.charCodeAt(0) || 0x2e;
  const escaped = `%${code.toString(16).padStart(2, '0')}`;
  switch (random.below(8)) {
    case 0:
      return before + random.from(PIECES) + after;
    case 1:
      return random.from(PIECES) + path;
    case 2:
      return path + random.from(PIECES);
    case 3:
      return before + escaped + after.slice(1);
    case 4:
      return before + escaped.replace('%', '%25') + after.slice(1);
    case 5:
      return before + (random.below(2) === 0 ? after.toUpperCase() : after.charAt(0).toUpperCase() + after.slice(1));
    case 6:
      return path.replaceAll('/', random.from(['//', '\\', '/./', '%2f', '/x/../', '/x/%2e%2e/', '/;/']));
    default:
      return `${random.from(['/v2', '/v2/account', '/legacy', '/openapi.json', '/healthz'])}${random.from(PIECES)}..${path}`;
  }
}

/** Requests for these paths in spellings of all kinds, of the request line and of `Host`. */
export function* respelledRequests({
  paths,
  host,
  count,
  seed,
}: {
  paths: readonly string[];
  host: string;
  count: number;
  seed: number;
}): Generator<RawRequest> {
  const random = seededRandom(seed);
  for (let number = 0; number < count; number++) {
    const spelled = respell(random.from(paths), random);
    const headers = random.below(8) === 0 ? [`X-Original-URL: ${random.from(paths)}`] : [];
    const method = random.from(['GET', 'GET', 'GET', 'HEAD', 'DELETE', 'OPTIONS', 'PUT']);
    switch (random.below(8)) {
      case 0:
        yield { method, headers, target: `http://${host}${spelled}`, host };
        break;
      case 1:
        yield {
          method,
          headers,
          target: `${random.from(['http://', 'https:', 'HTTP:/', 'ftp://'])}${random.from(HOSTILE_HOSTS)}${spelled}`,
          host,
        };
        break;
      case 2:
        yield { method, headers, target: random.from(paths), host: latin1(`${random.from(HOSTILE_HOSTS)}${spelled}`) };
        break;
      case 3:
        yield { method, headers, target: spelled, host: null, version: random.from(['HTTP/1.0', 'HTTP/1.1']) };
        break;
      default:
        yield { method, headers, target: spelled, host };
    }
  }
}

/** The bytes of a text in UTF-8, each as a character. */
export function latin1(text: string): string {
  return Buffer.from(text).toString('latin1');
}
