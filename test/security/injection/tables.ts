import { sql } from 'kysely';
import type { Database } from '../../../db/database.ts';

/** The rows of every table, each as text under the values of its primary key. */
export type Dump = Map<string, Map<string, string>>;

/** Reads every row of every table of the database. */
export async function dump(db: Database): Promise<Dump> {
  const { rows: keys } = await sql<{ name: string; columns: string }>`
    SELECT TABLE_NAME AS name, GROUP_CONCAT(COLUMN_NAME ORDER BY ORDINAL_POSITION) AS columns
    FROM information_schema.KEY_COLUMN_USAGE
    WHERE TABLE_SCHEMA = DATABASE() AND CONSTRAINT_NAME = 'PRIMARY' GROUP BY TABLE_NAME`.execute(db);
  const tables: Dump = new Map();
  for (const { name, columns } of keys) {
    const { rows } = await sql<Record<string, unknown>>`SELECT * FROM ${sql.table(name)}`.execute(db);
    const key = (row: Record<string, unknown>) =>
      columns
        .split(',')
        .map((column) => String(row[column]))
        .join('/');
    tables.set(name, new Map(rows.map((row) => [key(row), JSON.stringify(row)])));
  }
  return tables;
}

/** What differs, a line for each row; nothing of a table that is excepted. */
export function differences(before: Dump, after: Dump, except: readonly string[]): string[] {
  const names = new Set([...before.keys(), ...after.keys()]);
  return [...names].flatMap((name) => {
    if (except.includes(name)) return [];
    const [old, now] = [before.get(name) ?? new Map<string, string>(), after.get(name) ?? new Map<string, string>()];
    return [...new Set([...old.keys(), ...now.keys()])]
      .filter((key) => old.get(key) !== now.get(key))
      .map((key) => `${name} ${key}: ${old.get(key) ?? 'no row'} → ${now.get(key) ?? 'no row'}`);
  });
}

/** The same for rows that were there before and may not change: what was added is not told. */
export function changes(before: Dump, after: Dump, except: readonly string[]): string[] {
  return differences(before, after, except).filter((line) => !line.includes(': no row → '));
}
