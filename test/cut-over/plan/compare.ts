import { compareAnswers } from '../../../edge/shadow/compare.ts';
import type { UpstreamAnswer } from './exchange.ts';

/** Headers that say something about the answer. Of those that are counted or made up, only that they are there. */
const COMPARED_HEADERS = ['content-type', 'allow', 'location', 'retry-after', 'www-authenticate'];
const PRESENT_HEADERS = [
  'x-request-id',
  'ratelimit-limit',
  'ratelimit-remaining',
  'ratelimit-reset',
  'idempotency-replayed',
];

/** What two scenes alike have of their own. */
const OF_THE_SCENE = [
  'id',
  'ip',
  'ip_address',
  'created_at',
  'started_at',
  'completed_at',
  'resource_id',
  'project_id',
];
/** The number at the end of a link, which is of the scene too. */
const LINKED_NUMBER = /\/\d+(?=")/g;

/**
 * Where two answers differ: `status` alone, or `headers.…` and the ways to fields of the body. The bodies must have the
 * same shape; values too must be the same, except those that each of two scenes has of its own.
 */
export function differencesOf(one: UpstreamAnswer, other: UpstreamAnswer, scenes: 'one' | 'two'): string[] {
  if (one.status !== other.status) return ['status'];
  const shapes = [one, other].map(({ text }) => ({ status: 0, body: JSON.stringify(shapeOf(read(text))) }));
  const [shape, otherShape] = shapes;
  if (!shape || !otherShape) throw new Error('two answers have two shapes');
  const ignored = scenes === 'one' ? [] : OF_THE_SCENE;
  const said = ({ text }: UpstreamAnswer) => ({
    status: 0,
    body: scenes === 'one' ? text : text.replaceAll(LINKED_NUMBER, '/{id}'),
  });
  const found = [...compareAnswers(shape, otherShape, []), ...compareAnswers(said(one), said(other), ignored)].map(
    ({ field }) => field,
  );
  const headers = [
    ...COMPARED_HEADERS.filter((name) => String(one.headers[name]) !== String(other.headers[name])),
    ...PRESENT_HEADERS.filter((name) => (one.headers[name] === undefined) !== (other.headers[name] === undefined)),
  ].map((name) => `headers.${name}`);
  return [...new Set([...found, ...headers])].sort();
}

/** A body that is no JSON is its own shape. */
function read(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** The kinds of all values, at every level. A list has the shape of its elements, each kind of them once. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) {
    const shapes = value.map((one) => JSON.stringify(shapeOf(one)));
    return [...new Set(shapes)].sort().map((shape): unknown => JSON.parse(shape));
  }
  if (value === null) return 'null';
  if (typeof value !== 'object') return typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, shapeOf(one)]));
}
