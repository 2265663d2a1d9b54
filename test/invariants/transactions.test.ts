import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Database } from '../../db/database.ts';
import { prepareLastWrites } from '../../db/together.ts';
import { useDatabase } from '../support/database.ts';

function newRegion() {
  const slug = `region-${randomBytes(4).toString('hex')}`;
  return { slug, name: slug };
}

async function exists(db: Database, { slug }: { slug: string }): Promise<boolean> {
  return (await db.selectFrom('regions').select('id').where('slug', '=', slug).execute()).length > 0;
}

describe('a transaction', () => {
  test('has begun with its first statement: what fails later takes that back', async () => {
    const db = useDatabase();
    const region = newRegion();

    const work = db.transaction().execute(async (tx) => {
      const { insertId } = await tx.insertInto('regions').values(region).executeTakeFirstOrThrow();
      expect(Number(insertId)).toBeGreaterThan(0);
      expect(await exists(tx, region)).toBe(true);
      throw new Error('changed its mind');
    });

    await expect(work).rejects.toThrow('changed its mind');
    expect(await exists(db, region)).toBe(false);
  });

  test('locks with its first statement', async () => {
    const db = useDatabase();
    const region = newRegion();
    await db.insertInto('regions').values(region).execute();

    await db.transaction().execute(async (tx) => {
      await tx.selectFrom('regions').select('id').where('slug', '=', region.slug).forUpdate().execute();
      const another = db.selectFrom('regions').select('id').where('slug', '=', region.slug).forUpdate().noWait();
      await expect(another.execute()).rejects.toThrow(/lock/i);
    });

    const free = db.selectFrom('regions').select('id').where('slug', '=', region.slug).forUpdate().noWait();
    expect(await free.execute()).toHaveLength(1);
  });

  test('that asks nothing leaves its connection as it was', async () => {
    const db = useDatabase();
    const region = newRegion();

    await db.transaction().execute(async () => {});
    await expect(db.transaction().execute(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    await db.connection().execute((connection) => connection.insertInto('regions').values(region).execute());

    expect(await exists(db, region)).toBe(true);
  });

  test('is committed by its last writes, and nothing can follow them', async () => {
    const db = useDatabase();
    const [first, second, third] = [newRegion(), newRegion(), newRegion()];

    const work = db.transaction().execute(async (tx) => {
      await prepareLastWrites(tx, [tx.insertInto('regions').values(first), tx.insertInto('regions').values(second)])();
      expect([await exists(db, first), await exists(db, second)]).toEqual([true, true]);
      await tx.insertInto('regions').values(third).execute();
    });

    await expect(work).rejects.toThrow('the transaction is committed');
    expect([await exists(db, first), await exists(db, third)]).toEqual([true, false]);
  });

  test('leaves nothing when one of its last writes fails', async () => {
    const db = useDatabase();
    const [earlier, last] = [newRegion(), newRegion()];

    const work = db.transaction().execute(async (tx) => {
      await tx.insertInto('regions').values(earlier).execute();
      await prepareLastWrites(tx, [tx.insertInto('regions').values(last), tx.insertInto('regions').values(earlier)])();
    });

    await expect(work).rejects.toThrow(/duplicate/i);
    expect([await exists(db, earlier), await exists(db, last)]).toEqual([false, false]);
  });
});
