import { type Compilable, CompiledQuery } from 'kysely';

/**
 * A statement, or a part of one, written out in SQL. For what runs with every operation: the query builder, which makes a
 * tree of nodes for each statement and walks it, would be a good part of the cost.
 */
export class Statement<Row = unknown> implements Compilable<Row> {
  readonly #text: string;
  readonly #values: readonly unknown[];

  constructor(texts: readonly string[], parts: readonly unknown[] = []) {
    const values: unknown[] = [];
    let text = texts[0] ?? '';
    for (const [index, part] of parts.entries()) {
      if (part instanceof Statement) {
        text += part.#text;
        values.push(...part.#values);
      } else {
        text += '?';
        values.push(part);
      }
      text += texts[index + 1] ?? '';
    }
    this.#text = text;
    this.#values = values;
  }

  compile(): CompiledQuery<Row> {
    // biome-ignore lint/plugin: the text is of templates alone, and every value of theirs is a parameter.
    return CompiledQuery.raw(this.#text, [...this.#values]);
  }
}

/** A statement: each value is a parameter, unless it is a part of a statement itself. */
export function statement<Row = unknown>(texts: TemplateStringsArray, ...parts: readonly unknown[]): Statement<Row> {
  return new Statement<Row>(texts, parts);
}

/** Values or parts with a comma between them. At least one. */
export function listOf(parts: readonly unknown[]): Statement {
  return joined(parts, ', ');
}

/** Values or parts, one after the other. At least one. */
export function joined(parts: readonly unknown[], separator = ''): Statement {
  return new Statement(['', ...parts.slice(1).map(() => separator), ''], parts);
}

/** `column = value` for each that is given. Columns are named by the code, never by what comes from outside. */
export function assignments(values: Readonly<Record<string, unknown>>): Statement {
  const given = Object.entries(values).filter(([, value]) => value !== undefined);
  return listOf(given.map(([column, value]) => new Statement([`\`${column}\` = `], [value])));
}
