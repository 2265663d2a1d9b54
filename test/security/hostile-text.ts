/** Text that would do something to who reads it, by what it would do; each has a letter at either end. */
export const HOSTILE: [what: string, text: string][] = [
  ['line ends', 'a\r\n9  forged  admin  create token\nz'],
  ['a clearing of the screen', 'a\u001b[2J\u001b]0;title\u0007z'],
  ['an 8-bit control sequence', 'a\u009b31m\u0085\u0090z'],
  ['a deletion', 'abc\b\b\u007fz'],
  ['a null', 'a\0z'],
  ['bidirectional controls', 'a\u202egnp\u202d\u2066x\u2069\u200f\u200e\u061cz'],
  ['line and paragraph separators', 'a\u2028b\u2029z'],
  ['what has no width', 'a\u200b\u200c\u200d\u2060\ufeff\u00ad\u180e\u3164z'],
  ['tag characters', 'a\u{e0001}\u{e0041}\u{e007f}z'],
  ['lone surrogates', 'a\ud800b\udc00z'],
  ['an escape that was sent', 'a\\n\\u{1b}\\\\z'],
];

/** All of it. */
export const ALL_HOSTILE = HOSTILE.map(([, text]) => text).join('-');

/** What may be in no line that a person reads. Listed by code, and not as the product does it. */
export const FORBIDDEN =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what is looked for
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\u{e0000}-\u{e007f}\ud800-\udfff]/u;
