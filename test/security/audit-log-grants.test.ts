import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { useDatabase } from '../support/database.ts';

/** Only migrations and their tools read these. */
const TABLES_OF_THE_MIGRATION = ['kysely_migration', 'kysely_migration_lock'];

test('the documented rights of the application are on every table that it has', async () => {
  const document = await readFile(new URL('../../docs/running.md', import.meta.url), 'utf8');
  const granted = [...document.matchAll(/ON reserved_ip\.(\w+) TO 'reserved_ip_app'/g)].map(([, table]) => table);
  const tables = (await useDatabase().introspection.getTables()).map(({ name }) => name);
  expect(granted.toSorted()).toEqual(tables.filter((name) => !TABLES_OF_THE_MIGRATION.includes(name)).toSorted());
});
