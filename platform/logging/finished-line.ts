import { visibleJson } from '../text/visible.ts';
import { withoutSecrets } from './secrets.ts';

/** Most characters of a text in a line of the log, by its field. */
const LONGEST_TEXT = 2_048;
const LONGEST: ReadonlyMap<string, number> = new Map([
  ['path', 512],
  ['url', 512],
  ['host', 512],
  ['reason', 512],
  ['requestId', 128],
  ['stack', 8_192],
]);
const LONGEST_NAME = 128;
/** Most characters of all texts that lie in lists and objects of one line together. */
const MOST_NESTED = 32_768;
/** Most entries of one list or object, and how deep they may lie in each other. */
const MOST_ENTRIES = 100;
const DEEPEST = 8;

/**
 * A line of the log as it is written: secrets masked, texts bounded, every character visible; valid JSON still. What was
 * cut says so. A secret is masked before the text that it is in is cut.
 */
export function finishedLine(line: string): string {
  return `${visibleJson(JSON.stringify(new LineBounds().field('', parsed(line), 0)))}\n`;
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return { level: 50, msg: 'this line of the log was not JSON', line };
  }
}

/** The bounds of one line. */
class LineBounds {
  #left = MOST_NESTED;

  field(name: string, value: unknown, depth: number): unknown {
    if (typeof value === 'string') return this.#text(value, LONGEST.get(name) ?? LONGEST_TEXT, depth > 1);
    if (typeof value !== 'object' || value === null) return value;
    if (depth >= DEEPEST) return '… (too deep)';
    if (Array.isArray(value)) {
      const entries = value.slice(0, MOST_ENTRIES).map((entry: unknown) => this.field(name, entry, depth + 1));
      return value.length > MOST_ENTRIES ? [...entries, `… (cut from ${value.length} entries)`] : entries;
    }
    const fields = Object.entries(value);
    const kept = fields.slice(0, MOST_ENTRIES).map(([inner, field]) => {
      return [cut(withoutSecrets(inner), LONGEST_NAME), this.field(inner, field, depth + 1)];
    });
    if (fields.length > MOST_ENTRIES) kept.push(['…', `cut from ${fields.length} fields`]);
    return Object.fromEntries(kept);
  }

  #text(text: string, most: number, isNested: boolean): string {
    const bounded = cut(withoutSecrets(text), isNested ? Math.min(most, this.#left) : most);
    if (isNested) this.#left = Math.max(0, this.#left - bounded.length);
    return bounded;
  }
}

/** At most so many characters, of which the last ones say what is missing; the note alone when there is no room. */
function cut(text: string, most: number): string {
  if (text.length <= most) return text;
  const note = `… (cut from ${text.length} characters)`;
  return text.slice(0, Math.max(0, most - note.length)) + note;
}
