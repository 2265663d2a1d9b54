import { type AST, RegExpParser } from '@eslint-community/regexpp';

/** Characters of each class that expressions tell apart. */
const TYPICAL = [...'a0A -._:/@"\\%+=,;\n\t\r\u00e9\u2028'];
const ASCII = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code));
/** What no expression can end with, and what some cannot. */
const FAILING_ENDS = ['', '\0', '!', '\n', ' ', '\u20ac'];
const CANDIDATES = [...'a0A -._:/@"%', ...ASCII, '\u00e9', '\u200b', '\u2028', '\u{e0041}'];

/** What is said again and again in a text, between a beginning and an end. */
export interface Attack {
  start: string;
  repeated: string;
  end: string;
}

/** The text of an attack, of about so many characters. */
export function textOf({ start, repeated, end }: Attack, length: number): string {
  const room = Math.max(1, length - start.length - end.length);
  return start + repeated.repeat(Math.ceil(room / repeated.length)).slice(0, room) + end;
}

/** Every ASCII character and pairs of typical ones, repeated: for what reads any text. */
export function plainAttacks(extra: readonly string[] = []): Attack[] {
  const paired = [...new Set([...TYPICAL, ...extra])];
  const pairs = paired.flatMap((one) => paired.filter((other) => other !== one).map((other) => one + other));
  return [...ASCII, ...TYPICAL.slice(-2), ...pairs].map((repeated) => ({ start: '', repeated, end: '' }));
}

/**
 * Texts that the expression nearly matches. Each repetition in it is fed for itself, after what must stand before it, and
 * with an end that makes it fail; and what begins a match is repeated as a whole, so that each place starts one.
 */
export function attacksOn(expression: RegExp): Attack[] {
  const unicode = expression.flags.includes('u');
  const unicodeSets = expression.flags.includes('v');
  const { source } = expression;
  const tree = new RegExpParser().parsePattern(source, 0, source.length, unicodeSets ? { unicodeSets } : { unicode });
  const beginnings: { start: string; repeated: string }[] = [];
  const sampler = new Sampler(expression.flags);
  for (const alternative of tree.alternatives) sampler.walk(alternative, [''], beginnings);
  const attacks = beginnings.flatMap(({ start, repeated }) =>
    FAILING_ENDS.flatMap((end) => [
      { start, repeated, end },
      { start: '', repeated, end },
      { start: '', repeated: start + repeated, end },
      { start: '', repeated: start + repeated.repeat(8) + end, end: '' },
    ]),
  );
  const literals = new Set([...source].filter((character) => character >= ' ' && character <= '~'));
  const wholes = tree.alternatives.map((alternative) => sampler.sample(alternative)).filter((whole) => whole !== '');
  return [
    ...attacks,
    ...wholes.flatMap((whole) => FAILING_ENDS.map((end) => ({ start: '', repeated: whole + end, end: '' }))),
    ...plainAttacks([...literals].slice(0, 16)),
  ];
}

/** Makes texts that parts of an expression match. */
class Sampler {
  readonly #flags: string;

  constructor(flags: string) {
    this.#flags = flags.replaceAll(/[gy]/g, '');
  }

  /** Collects what each repetition can be fed, and answers what may stand before whatever follows the node. */
  walk(node: AST.Alternative, starts: string[], found: { start: string; repeated: string }[]): string[] {
    let before = starts;
    for (const element of node.elements) before = this.#after(element, before, found);
    return before;
  }

  /** A short text that the node matches. */
  sample(node: AST.Alternative | AST.Element): string {
    switch (node.type) {
      case 'Alternative':
        return node.elements.map((element) => this.sample(element)).join('');
      case 'Group':
      case 'CapturingGroup':
        return this.sample(longest(node.alternatives));
      case 'Quantifier':
        return this.sample(node.element).repeat(Math.min(Math.max(node.min, 1), 64));
      default:
        return this.#charactersOf(node, 1)[0] ?? '';
    }
  }

  #after(node: AST.Element, before: string[], found: { start: string; repeated: string }[]): string[] {
    if (node.type === 'Group' || node.type === 'CapturingGroup' || node.type === 'Assertion') {
      const inner = 'alternatives' in node ? node.alternatives : [];
      const after = inner.flatMap((alternative) => this.walk(alternative, before, found));
      return node.type === 'Assertion' ? before : [...new Set(after)].slice(0, 4);
    }
    if (node.type !== 'Quantifier') return before.map((start) => start + this.sample(node));
    const { element, max, min } = node;
    if (max > 8) {
      const samples = [...this.#charactersOf(element, 4), this.sample(element)].filter((text) => text !== '');
      found.push(...before.flatMap((start) => [...new Set(samples)].map((repeated) => ({ start, repeated }))));
    }
    const once = this.#after(element, before, found);
    return (min === 0 ? [...new Set([...before, ...once])] : once).slice(0, 4);
  }

  /** Different characters that a node of one character matches. */
  #charactersOf(node: AST.Element, most: number): string[] {
    if (node.type === 'Character') return [String.fromCodePoint(node.value)];
    if (!['CharacterClass', 'CharacterSet', 'ExpressionCharacterClass'].includes(node.type)) return [];
    const one = new RegExp(`^${node.raw}$`, this.#flags);
    return [...new Set(CANDIDATES)].filter((character) => one.test(character)).slice(0, most);
  }
}

function longest(alternatives: AST.Alternative[]): AST.Alternative {
  const [first, ...rest] = alternatives;
  if (!first) throw new Error('a group without alternatives');
  return rest.reduce((best, one) => (one.raw.length > best.raw.length ? one : best), first);
}
