import { sql } from 'kysely';
import { expect, inject, onTestFinished, test } from 'vitest';
import { openDatabase } from '../../db/database.ts';
import { EnvironmentError } from '../../dev/environment/errors.ts';
import { databaseProduct } from '../../dev/environment/servers/database.ts';

test.skipIf(process.env.MYSQL_URL)(
  'the tests run on the product that DATABASE_PRODUCT names, and on MariaDB when it names none',
  async () => {
    const db = openDatabase({ url: inject('environment').mysqlUrl, poolSize: 1 });
    onTestFinished(() => db.destroy());
    const { rows } = await sql<{ version: string }>`SELECT VERSION() AS version`.execute(db);
    const version = rows[0]?.version;
    if (databaseProduct(process.env) === 'mysql') expect(version).toMatch(/^\d+\.\d+\.\d+(-\d+)?$/);
    else expect(version).toMatch(/MariaDB/);
  },
);

test('a product that is not known is rejected by name', () => {
  expect(() => databaseProduct({ DATABASE_PRODUCT: 'postgres' })).toThrow(EnvironmentError);
  expect(() => databaseProduct({ DATABASE_PRODUCT: 'postgres' })).toThrow('mariadb, mysql');
});
