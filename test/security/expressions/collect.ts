import { readdir, readFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { tokenizer, tokTypes } from 'acorn';
import { z } from 'zod';

/** Something of the sources that reads text by a regular expression. */
export interface Expression {
  /** Where it is, and what. */
  name: string;
  /** The expression itself; null for a format of zod, which has it inside. */
  pattern: RegExp | null;
  /** Reads a whole text with it, as often as it is found there. */
  read: (text: string) => void;
}

/** What the sources of a folder have. */
export interface Collected {
  expressions: Expression[];
  /** Places that build an expression while they run, which nobody can collect. */
  built: string[];
}

const SKIPPED = new Set(['node_modules', 'dist', 'docs', 'test', '.dev', '.git', '.ci']);

/** Finds every regular expression of the product's sources, and every format of zod that they use. */
export async function collectExpressions(folder: string): Promise<Collected> {
  const found: Collected = { expressions: [], built: [] };
  const formats = new Set<string>();
  for (const file of await sourcesOf(folder)) {
    const text = await readFile(join(folder, file), 'utf8');
    // Types become blanks, so that each token is at its place in the source.
    const tokens = [...tokenizer(stripTypeScriptTypes(text), { ecmaVersion: 'latest', sourceType: 'module' })];
    const words = tokens.map(({ start, end }) => text.slice(start, end));
    for (const [index, { type, start }] of tokens.entries()) {
      const place = `${file}:${text.slice(0, start).split('\n').length}`;
      if (type === tokTypes.regexp) found.expressions.push(expressionOf(place, words[index] ?? ''));
      if (words[index] === 'RegExp' && words[index + 1] === '(') found.built.push(place);
      if (words[index] !== 'z') continue;
      for (const length of [3, 5]) {
        if (words[index + length] === '(') formats.add(words.slice(index, index + length).join(''));
      }
    }
  }
  found.expressions.push(...[...formats].sort().flatMap(formatOf));
  return found;
}

/** The sources of a folder that are no tests, by their paths in it. */
export async function sourcesOf(folder: string, inside = ''): Promise<string[]> {
  const entries = await readdir(join(folder, inside), { withFileTypes: true });
  const lists = entries.map((entry) => {
    const path = join(inside, entry.name);
    if (entry.isDirectory()) return SKIPPED.has(entry.name) ? [] : sourcesOf(folder, path);
    return /\.(ts|mts|mjs|js)$/.test(path) && !path.endsWith('.test.ts') ? [path] : [];
  });
  return (await Promise.all(lists)).flat().sort();
}

function expressionOf(place: string, literal: string): Expression {
  const end = literal.lastIndexOf('/');
  const [pattern, flags] = [literal.slice(1, end), literal.slice(end + 1)];
  const expression = new RegExp(pattern, flags);
  const global = new RegExp(pattern, flags.includes('g') ? flags : `${flags}g`);
  return {
    name: `${place} ${expression}`,
    pattern: expression,
    read(text) {
      if (flags.includes('g')) text.replace(global, '');
      else expression.exec(text);
    },
  };
}

/** `z.uuid` or `z.iso.datetime`, when it is a format of a string. */
function formatOf(name: string): Expression[] {
  const [, ...path] = name.split('.');
  const build = path.reduce<unknown>((inner, part) => (isFields(inner) ? inner[part] : undefined), z);
  if (typeof build !== 'function') return [];
  const schema = attempt(() => build());
  if (!(schema instanceof z.ZodType) || schema.def.type !== 'string') return [];
  return [{ name, pattern: null, read: (text) => void schema.safeParse(text) }];
}

function isFields(value: unknown): value is Record<string, unknown> {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

/** A builder that needs arguments is not a format of a string. */
function attempt(build: () => unknown): unknown {
  try {
    return build();
  } catch {
    return null;
  }
}
