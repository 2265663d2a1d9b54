/*
 * Text from outside, shown so that it can do nothing to who reads it: no character moves a cursor, turns the direction of
 * writing, hides, or begins a line. Text is stored as it was sent; what is printed or logged goes through here.
 */

/**
 * What is not seen as what it is, by Unicode's own classes rather than by a list: control and format characters (C0, C1,
 * DEL, bidirectional controls, the byte order mark, tags), lone surrogates, code points without a meaning, line and
 * paragraph separators, what is ignored by default (zero-width joiners, fillers), and every space but the usual one.
 */
const UNSEEN = /(?! )[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}]/gu;
const UNSEEN_OR_BACKSLASH = /(?! )[\\\p{C}\p{Z}\p{Default_Ignorable_Code_Point}]/gu;
const UNSEEN_BUT_NEWLINE = /(?![ \n])[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}]/gu;

const SHORT: ReadonlyMap<string, string> = new Map([
  ['\\', '\\\\'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
]);

/** One value on one line. A backslash is doubled, so that a sent backslash and an escape differ. */
export function visible(text: string): string {
  return text.replace(UNSEEN_OR_BACKSLASH, escapeOf);
}

/** One value in a column: spaces that could pass for the edge of a column are escaped as well. */
export function visibleCell(text: string): string {
  return visible(text).replace(/^ | (?= )| $/g, '\\u{20}');
}

/** Text that is laid out already, in which only newlines may control anything. Values in it were made {@link visible}. */
export function visibleLines(text: string): string {
  return text.replace(UNSEEN_BUT_NEWLINE, escapeOf);
}

/** A JSON document, which reads the same and shows what is in its strings. */
export function visibleJson(json: string): string {
  return json.replace(UNSEEN_BUT_NEWLINE, (character) =>
    Array.from({ length: character.length }, (_, index) => {
      return `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`;
    }).join(''),
  );
}

/** A template whose values are made {@link visible}: shown\`host ${name} is gone\`. */
export function shown(parts: TemplateStringsArray, ...values: (string | number | null)[]): string {
  return String.raw({ raw: parts }, ...values.map((value) => visible(String(value))));
}

/**
 * A reason that came from outside, as one line for people: what is not seen becomes a space, so that it is no longer than
 * it was, and it ends after `most` characters.
 */
export function plainLine(text: string, most = 1_024): string {
  return text.slice(0, most).replace(UNSEEN, ' ').trim();
}

/** Letters, digits and punctuation that mean nothing in Markdown, and no address that it would make a link of. */
const PLAIN_IN_MARKDOWN = /^(?!.*(?::\/\/|www\.))[A-Za-z0-9 ,.:;/()=+-]*$/i;

/**
 * Text from outside in a place that is shown as Markdown: as it is when it means nothing there, else as code, which makes
 * no link, image or markup. One line of at most 1,024 characters.
 */
export function markdownText(text: string): string {
  const line = plainLine(text);
  if (PLAIN_IN_MARKDOWN.test(line)) return line;
  const longest = (line.match(/`+/g) ?? []).reduce((most, run) => Math.max(most, run.length), 0);
  const fence = '`'.repeat(longest + 1);
  return `${fence} ${line} ${fence}`;
}

function escapeOf(character: string): string {
  return SHORT.get(character) ?? `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}
