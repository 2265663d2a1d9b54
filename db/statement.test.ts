import { expect, test } from 'vitest';
import { assignments, listOf, statement } from './statement.ts';

test('every value of a statement is a parameter, in the order of the text', () => {
  const columns = statement`id, ${'label'} AS label`;
  const { sql, parameters } =
    statement`SELECT ${columns} FROM t WHERE id IN (${listOf([1, 2])}) AND a = ${null}`.compile();
  expect(sql).toBe('SELECT id, ? AS label FROM t WHERE id IN (?, ?) AND a = ?');
  expect(parameters).toEqual(['label', 1, 2, null]);
});

test('a text that looks like SQL stays a value', () => {
  expect(statement`SELECT ${"'; DROP TABLE t; --"}`.compile()).toMatchObject({
    sql: 'SELECT ?',
    parameters: ["'; DROP TABLE t; --"],
  });
});

test('columns that are not given are left out of an assignment, and those that become null are not', () => {
  const { sql, parameters } = statement`UPDATE t SET ${assignments({ a: 1, b: undefined, c: null })}`.compile();
  expect(sql).toBe('UPDATE t SET `a` = ?, `c` = ?');
  expect(parameters).toEqual([1, null]);
});
