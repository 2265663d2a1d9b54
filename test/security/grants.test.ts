import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { PROJECT_FOLDER } from '../../dev/environment/paths.ts';
import { useDatabase } from '../support/database.ts';

/** Of the migration, whose user has rights of its own. */
const MIGRATIONS = /^kysely_/;

test('the rights that the documents give the application name every table', async () => {
  const text = await readFile(join(PROJECT_FOLDER, 'docs/running.md'), 'utf8');
  const granted = [...text.matchAll(/ ON reserved_ip\.(\w+) TO 'reserved_ip_app'/g)].map(([, table = '']) => table);
  const { rows } = await sql<{ name: string }>`
    SELECT table_name AS name FROM information_schema.tables
    WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE'`.execute(useDatabase());
  const tables = rows.map(({ name }) => name).filter((name) => !MIGRATIONS.test(name));

  expect(granted.toSorted()).toEqual(tables.toSorted());
});
