import { format, raw } from 'mysql2';

/*
 * Values as SQL that means the same under every sql_mode. The driver puts values into the text with backslashes, which
 * are no escapes under NO_BACKSLASH_ESCAPES. Sessions are pinned to other modes; this is what holds where a proxy
 * has reset one.
 */

/** A parameter of a query is neither a text, a number, a truth value, a time, bytes nor null. */
export class UnsafeValueError extends TypeError {
  override readonly name = 'UnsafeValueError';
  /** Position in the query, from 0. */
  readonly index: number;

  constructor(index: number, value: unknown) {
    super(`parameter ${index} of a query is ${Array.isArray(value) ? 'a list' : `of type ${typeof value}`}`);
    this.index = index;
  }
}

/** What the driver writes alike under every mode. */
type PlainValue = null | undefined | Uint8Array | Date | number | bigint | boolean;

/**
 * A statement with its values in a form that no mode can take for anything else, in place of the driver's own way;
 * throws {@link UnsafeValueError}.
 */
export function formatModeFree(sql: string, values: unknown): string {
  if (!Array.isArray(values)) throw new UnsafeValueError(0, values);
  return format(sql, values.map(modeFree), true, 'Z');
}

function modeFree(value: unknown, index: number) {
  if (typeof value === 'string') return raw(quoted(value));
  if (isPlain(value)) return value;
  throw new UnsafeValueError(index, value);
}

/** A text. A quote is doubled, which every mode understands; what holds a backslash or ends a C string goes as hex. */
function quoted(text: string): string {
  if (text.includes('\\') || text.includes('\0')) return `_utf8mb4 X'${Buffer.from(text, 'utf8').toString('hex')}'`;
  return `'${text.replaceAll("'", "''")}'`;
}

function isPlain(value: unknown): value is PlainValue {
  if (value === null || value === undefined || value instanceof Uint8Array) return true;
  if (value instanceof Date) return !Number.isNaN(value.getTime());
  if (typeof value === 'number') return Number.isFinite(value);
  return typeof value === 'bigint' || typeof value === 'boolean';
}
