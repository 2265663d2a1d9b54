import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { CODE_PATHS } from '../../../edge/code-paths.ts';
import { readDifferences, readPlan } from './plan.ts';
import { countTable, differenceTable } from './tables.ts';

/** Of each of the 18 code paths. */
const LEAST_CASES = 15;
/** Of each of them, accepted and rejected. */
const LEAST_OF_A_KIND = 3;

describe('the test plan', async () => {
  const plan = await readPlan();

  test('has at least 150 cases, each with a name of its own', () => {
    const names = plan.map(({ name }) => name);
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
    expect(names.length).toBeGreaterThanOrEqual(150);
  });

  test.each(CODE_PATHS)('has enough cases of %s, of what is accepted and of what is rejected', (codePath) => {
    const [resourceName, operation] = codePath.split('.');
    const cases = plan.filter(
      (one) => one.operation === operation && one.resourceNames.some((own) => own === resourceName),
    );
    expect(cases.length).toBeGreaterThanOrEqual(LEAST_CASES);
    expect(cases.filter(({ status }) => status < 300).length).toBeGreaterThanOrEqual(LEAST_OF_A_KIND);
    expect(cases.filter(({ status }) => status >= 400).length).toBeGreaterThanOrEqual(LEAST_OF_A_KIND);
  });

  test('says of every rejection by which id customers know it', () => {
    expect(plan.filter(({ status, errorId }) => status >= 400 !== (errorId !== null))).toEqual([]);
  });

  test('has no two cases that are the same', () => {
    const contents = plan.map(({ name: _, ...rest }) => JSON.stringify(rest));
    expect(plan.filter((_, at) => contents.indexOf(contents[at] ?? '') !== at).map(({ name }) => name)).toEqual([]);
  });

  test('lists differences of its own cases, and each of them once', async () => {
    const names = new Set(plan.map(({ name }) => name));
    const listed = (await readDifferences()).cases.map((difference) => difference.case);
    expect(listed.filter((name) => !names.has(name))).toEqual([]);
    expect(listed.filter((name, at) => listed.indexOf(name) !== at)).toEqual([]);
  });

  test('is in the documentation as it is, with the differences that are left', async () => {
    const lines = (await readFile('docs/cut-over.md', 'utf8')).split('\n');
    const tables = [countTable(plan), differenceTable(plan, await readDifferences())];
    expect(tables.flatMap((table) => table.split('\n')).filter((line) => !lines.includes(line))).toEqual([]);
  });
});
