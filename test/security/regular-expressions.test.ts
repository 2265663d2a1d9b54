import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { PROJECT_FOLDER } from '../../dev/environment/paths.ts';
import { useFolder } from '../support/folder.ts';
import { attacksOn, plainAttacks } from './expressions/attacks.ts';
import { collectExpressions, type Expression } from './expressions/collect.ts';
import { findSlow } from './expressions/cost.ts';

const collected = await collectExpressions(PROJECT_FOLDER);

const attacksFor = ({ pattern }: Expression) => (pattern === null ? plainAttacks() : attacksOn(pattern));

describe('the regular expressions of the sources', () => {
  test('are all found, since none is built while a process runs', () => {
    expect(collected.built).toEqual([]);
    const names = collected.expressions.map(({ name }) => name);
    expect(names.length).toBeGreaterThan(60);
    for (const known of [
      'platform/logging/secrets.ts:',
      'api/middleware/authentication.ts:',
      'z.uuid',
      'z.iso.datetime',
    ]) {
      expect(names.filter((name) => name.startsWith(known))).not.toEqual([]);
    }
  });

  test.each(collected.expressions)('$name reads 16 kB of anything in 5 ms', (expression) => {
    expect(findSlow(expression.read, attacksFor(expression))).toBeNull();
  });
});

describe('the search for slow expressions', () => {
  test.each([
    ['the mask of passwords as it was', String.raw`/(\w+:\/\/[^\s:/@"]+:)[^\s@"]+@/g`],
    ['white space before an end', String.raw`/\s+$/`],
    ['a list with a separator', '/^(a+,?)+$/'],
    ['overlapping alternatives', '/(a|ab|b)*c/'],
    ['nested repetition', String.raw`/^(\w+\s?)*$/`],
    ['a far end', '/x.*y.*z/'],
    ['Unicode classes', String.raw`/\p{Zs}+$/u`],
  ])('finds %s', async (_, literal) => {
    const folder = await useFolder();
    await writeFile(join(folder, 'slow.ts'), `export const slow = (text: string): boolean => ${literal}.test(text);\n`);
    const { expressions } = await collectExpressions(folder);
    expect(expressions.map(({ name }) => name)).toEqual([`slow.ts:1 ${literal}`]);
    for (const expression of expressions) {
      expect(findSlow(expression.read, attacksFor(expression))).toMatchObject({ milliseconds: expect.any(Number) });
    }
  });

  test('sees an expression that is built while a process runs', async () => {
    const folder = await useFolder();
    await writeFile(join(folder, 'built.ts'), 'export const of = (text: string): RegExp => new RegExp(text);\n');
    expect((await collectExpressions(folder)).built).toEqual(['built.ts:1']);
  });
});
