import type { SeededRandom } from '../../dev/kit/random.ts';

/** What names one event of one host. */
export interface EventName {
  sequence: number;
  generation: number;
}

/** What the sender of hostile requests knows and holds. */
export interface Scene {
  /** A host with an event that it has not answered, and others that it has. */
  victim: { token: string; open: EventName; answered: readonly EventName[] };
  /** A host that has answered all of its own events. */
  neighbour: { token: string; answered: readonly EventName[] };
  /** Tokens that are good for something else. */
  foreignTokens: readonly string[];
}

/** How a request must be rejected: as a whole, or each acknowledgment in it. */
export type RejectionReason =
  | 'bad_request'
  | 'unauthorized'
  | 'not_found'
  | 'too_long'
  | 'method_not_allowed'
  | 'too_large'
  | 'invalid'
  | 'unheeded';

/** A request that must change nothing. */
export interface HostileRequest {
  /** For the message when it is not rejected. */
  what: string;
  rejection: RejectionReason;
  token: string | null;
  method: string;
  path: string;
  body?: unknown;
  rawBody?: string | Uint8Array<ArrayBuffer>;
  headers?: Record<string, string>;
}

const EVENTS = '/host/v1/events';
const ACKNOWLEDGMENTS = '/host/v1/acknowledgments';
const DESIRED_STATE = '/host/v1/desired-state';
const OUTCOMES = ['applied', 'failed', 'superseded'] as const;
const ONE_MEBIBYTE = 1_048_576;

type Kind = (random: SeededRandom, scene: Scene) => HostileRequest;

/** `count` hostile requests of all kinds. */
export function hostileRequests(random: SeededRandom, scene: Scene, count: number): HostileRequest[] {
  return Array.from({ length: count }, () => random.from(KINDS)(random, scene));
}

/** Otherwise all right, and so disastrous if only its sender were believed. */
function confirming(event: EventName, outcome: string = 'applied') {
  return { ...event, outcome };
}

const stranger: Kind = (random, scene) => {
  const { token, open } = scene.victim;
  const authorization = random.from<string | null>([
    null,
    '',
    'Bearer',
    'Bearer ',
    token,
    `Basic ${Buffer.from(`host:${token}`).toString('base64')}`,
    `Bearer ${token} ${token}`,
    `Bearer "${token}"`,
    `Bearer ${token.slice(0, -1)}`,
    `Bearer ${token}x`,
    `Bearer ${token.toLowerCase()}${token.toUpperCase()}`,
    `Bearer ${'x'.repeat(1 + random.below(4_000))}`,
    "Bearer 'OR/**/1=1--",
    'Bearer \u00ff\u00fe',
    ...scene.foreignTokens.map((foreign) => `Bearer ${foreign}`),
  ]);
  const request = {
    what: `authorization ${JSON.stringify(authorization?.slice(0, 12) ?? null)}`,
    rejection: 'unauthorized',
    token: null,
    ...(authorization !== null && { headers: { authorization } }),
  } as const;
  const path = random.from([EVENTS, `${EVENTS}?wait=30`, DESIRED_STATE, ACKNOWLEDGMENTS]);
  if (path !== ACKNOWLEDGMENTS) return { ...request, method: 'GET', path };
  return { ...request, method: 'POST', path, body: { acknowledgments: [confirming(open, random.from(OUTCOMES))] } };
};

/** The neighbour answers for the victim: under its sequences, whichever generations they have. */
const othersEvents: Kind = (random, { victim, neighbour }) => {
  const named = [victim.open, ...victim.answered];
  const acknowledgments = someOf(random, named).map(({ sequence, generation }) =>
    confirming({ sequence, generation: random.from([generation, random.below(10), 2 ** 31]) }, random.from(OUTCOMES)),
  );
  return acknowledging('another host’s events', neighbour.token, acknowledgments);
};

const wrongNames: Kind = (random, { victim }) => {
  const { sequence, generation } = victim.open;
  const wrong = [
    { sequence, generation: generation + 1 + random.below(1_000) },
    { sequence, generation: random.below(generation) },
    { sequence, generation: Number.MAX_SAFE_INTEGER },
    { sequence: sequence + 1 + random.below(1_000_000), generation },
    { sequence: Number.MAX_SAFE_INTEGER - random.below(1_000), generation },
    { sequence: 2 ** 32 + sequence, generation },
    { sequence, generation: 2 ** 32 + generation },
  ];
  const acknowledgments = someOf(random, wrong).map((name) => confirming(name, random.from(OUTCOMES)));
  return acknowledging('unknown events', victim.token, acknowledgments);
};

/** Answered events again: in any order, several times over, and with other outcomes than before. */
const replayed: Kind = (random, { victim, neighbour }) => {
  const { token, answered } = random.from([victim, neighbour]);
  const acknowledgments = Array.from({ length: 1 + random.below(12) }, () => ({
    ...confirming(random.from(answered), random.from(OUTCOMES)),
    message: random.from([null, 'contradicted', '\u0000\ud800\u{1f4a3}']),
  }));
  return acknowledging('replayed events', token, acknowledgments);
};

const garbage: Kind = (random, { victim }) => {
  const open = JSON.stringify({ acknowledgments: [confirming(victim.open)] });
  const rawBody = random.from([
    '',
    ' ',
    '{',
    'null;',
    'NaN',
    "{'acknowledgments':[]}",
    '\ufeff'.repeat(3),
    '\u0000',
    '<acknowledgments/>',
    'acknowledgments=1',
    open.slice(0, 1 + random.below(open.length - 1)),
    `${open}${open}`,
    `${open}}`,
    '['.repeat(1 + random.below(100_000)),
    String.fromCharCode(...Array.from({ length: 200 }, () => random.below(0x80))),
  ]);
  return { ...posting('garbage', victim.token), rejection: 'bad_request', rawBody };
};

const wrongTypes: Kind = (random, { victim }) => {
  const right = confirming(victim.open);
  const depth = 1 + random.below(20_000);
  const nested = `${'['.repeat(depth)}${']'.repeat(depth)}`;
  const bad = random.from<object>([
    ...[0, -1, 1.5, 1e30, 2 ** 53, String(right.sequence), null, true, [], {}].map((sequence) => ({ sequence })),
    ...[-1, 0.5, 1e30, -(2 ** 53), String(right.generation), null, false, [right.generation]].map((generation) => ({
      generation,
    })),
    ...['done', '', 'APPLIED', 'applied ', 0, null, ['applied'], { toString: 'applied' }].map((outcome) => ({
      outcome,
    })),
    ...[1, true, {}, ['x'], 'x'.repeat(1_025)].map((message) => ({ message })),
  ]);
  const bodies = [
    JSON.stringify({ acknowledgments: [right, { ...right, ...bad }] }),
    JSON.stringify({ acknowledgments: [{ ...right, ...bad }, right] }),
    JSON.stringify(random.from<unknown>([null, 1, 'text', [], [right], {}, right, { acknowledgements: [right] }])),
    JSON.stringify({ acknowledgments: random.from<unknown>([null, 1, 'text', right, { 0: right, length: 1 }]) }),
    `{"acknowledgments":${nested}}`,
    `{"acknowledgments":[{"sequence":${nested}}]}`,
    `{"__proto__":{"acknowledgments":[${JSON.stringify(right)}]}}`,
    `{"acknowledgments":[{"__proto__":${JSON.stringify(right)}}]}`,
    `{"acknowledgments":[{"sequence":${right.sequence}e400}]}`,
  ];
  return { ...posting('wrong types', victim.token), rejection: 'invalid', rawBody: random.from(bodies) };
};

const tooMany: Kind = (random, { victim }) => {
  const acknowledgments = Array.from({ length: 501 + random.below(2_000) }, () => confirming(victim.open));
  return { ...posting('an oversized batch', victim.token), rejection: 'invalid', body: { acknowledgments } };
};

const tooLarge: Kind = (random, { victim }) => {
  const padding = ' '.repeat(ONE_MEBIBYTE + random.below(10_000));
  const rawBody = `${JSON.stringify({ acknowledgments: [confirming(victim.open)] })}${padding}`;
  return { ...posting('a body above the limit', victim.token), rejection: 'too_large', rawBody };
};

const notText: Kind = (random, { victim }) => {
  const text = JSON.stringify({ acknowledgments: [{ ...confirming(victim.open, 'failed'), message: '@@' }] });
  const rawBody = new Uint8Array(Buffer.from(text));
  rawBody.set(
    random.from([
      [0xff, 0xfe],
      [0xc0, 0xaf],
      [0xed, 0xa0],
      [0x80, 0x80],
    ]),
    text.indexOf('@@'),
  );
  return { ...posting('a body that is no UTF-8', victim.token), rejection: 'bad_request', rawBody };
};

const otherContent: Kind = (random, { victim }) => {
  const type = random.from([
    ...['text/plain', 'text/json', 'application/xml', 'application/octet-stream', 'application/jsonp', 'json', '*/*'],
    ...['application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'text/plain; application/json'],
  ]);
  return {
    ...posting(`content of the type ${type}`, victim.token),
    rejection: 'bad_request',
    headers: { 'content-type': type },
    body: { acknowledgments: [confirming(victim.open, random.from(OUTCOMES))] },
  };
};

const absurdQuery: Kind = (random, { victim }) => {
  const name = random.from(['after', 'wait', 'limit']);
  const value = random.from([
    ...['-1', 'x', '1e400', '99999999999999999999', 'Infinity', 'NaN', '1,2', '{}', '1;DROP TABLE hosts', '1%00'],
    ...['%ff', '%E0%A4%A', '١', '1 OR 1=1', 'null', '-0.5', `${'9'.repeat(1 + random.below(6_000))}x`],
  ]);
  const query = random.from([
    `${name}=${value}`,
    `x=${'y'.repeat(random.below(4_000))}&${name}=${value}`,
    `${name}=1&${name}=2`,
    Array.from({ length: 2 + random.below(300) }, () => `${name}=1`).join('&'),
  ]);
  const path = `${EVENTS}?${query}`;
  return { what: path.slice(0, 80), rejection: 'invalid', token: victim.token, method: 'GET', path };
};

const LONGEST_PATH = 2_048;

const wrongDoor: Kind = (random, { victim }) => {
  const request = { token: victim.token, body: { acknowledgments: [confirming(victim.open)] } };
  if (random.below(2) === 0) {
    const method = random.from(['PUT', 'PATCH', 'DELETE']);
    const path = random.from([EVENTS, ACKNOWLEDGMENTS, DESIRED_STATE]);
    return { ...request, what: `${method} ${path}`, rejection: 'method_not_allowed', method, path };
  }
  const path = random.from([
    `${ACKNOWLEDGMENTS}/${victim.open.sequence}`,
    '/host/v1',
    '/host/v2/acknowledgments',
    `/host/v1/${'x'.repeat(random.below(4_000))}`,
    '/host/v1/acknowledgments%00',
    '/host/v1/%ff%fe',
  ]);
  const rejection = path.length > LONGEST_PATH ? 'too_long' : 'not_found';
  return { ...request, what: path.slice(0, 80), rejection, method: 'POST', path };
};

const KINDS: readonly Kind[] = [
  stranger,
  othersEvents,
  wrongNames,
  replayed,
  garbage,
  wrongTypes,
  tooMany,
  tooLarge,
  notText,
  otherContent,
  absurdQuery,
  wrongDoor,
];

function posting(what: string, token: string) {
  return { what, token, method: 'POST', path: ACKNOWLEDGMENTS };
}

function acknowledging(what: string, token: string, acknowledgments: unknown[]): HostileRequest {
  return { ...posting(what, token), rejection: 'unheeded', body: { acknowledgments } };
}

/** At least one of a list, in any order, some of them perhaps twice. */
function someOf<Item>(random: SeededRandom, items: readonly Item[]): Item[] {
  return Array.from({ length: 1 + random.below(items.length) }, () => random.from(items));
}
