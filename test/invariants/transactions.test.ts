import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import type { Database } from '../../db/database.ts';
import { CommitInDoubtError, NestedTransactionError, TransactionLimitError } from '../../db/errors.ts';
import { endAsErrored } from '../../db/operations/fence.ts';
import { LONGEST_GAP_MS, LONGEST_TRANSACTION_MS, LOOKBACK_MS, listRaisedHosts } from '../../db/raised-hosts.ts';
import { inLongTransaction, inTransaction, inTwoRoundTrips, type TransactionEnd } from '../../db/transaction.ts';
import { newOperationId } from '../../domain/identifiers.ts';
import { useDatabase } from '../support/database.ts';

function newRegion() {
  const slug = `region-${randomBytes(4).toString('hex')}`;
  return { slug, name: slug };
}

async function exists(db: Database, { slug }: { slug: string }): Promise<boolean> {
  return (await db.selectFrom('regions').select('id').where('slug', '=', slug).execute()).length > 0;
}

const nothing = (): TransactionEnd<string> => ({ kind: 'roll back', result: 'nothing' });

describe('a transaction', () => {
  test('takes back what it did when it fails later', async () => {
    const db = useDatabase();
    const region = newRegion();

    const work = inTransaction(db, async (tx) => {
      await tx.insertInto('regions').values(region).execute();
      expect(await exists(tx, region)).toBe(true);
      throw new Error('changed its mind');
    });

    await expect(work).rejects.toThrow('changed its mind');
    expect(await exists(db, region)).toBe(false);
  });

  test('is not begun inside another one', async () => {
    const db = useDatabase();

    const nested = inTransaction(db, (tx) => inTransaction(tx, async () => 'inner'));
    await expect(nested).rejects.toBeInstanceOf(NestedTransactionError);
    const alsoNested = inTransaction(db, (tx) => inTwoRoundTrips(tx, [tx.selectFrom('regions').selectAll()], nothing));
    await expect(alsoNested).rejects.toBeInstanceOf(NestedTransactionError);
  });

  test('that takes too long is over: nothing of its work runs after its rollback', async () => {
    const db = useDatabase();
    const [before, after] = [newRegion(), newRegion()];
    const finished = Promise.withResolvers<unknown>();

    const work = inTransaction(
      db,
      async (tx) => {
        await tx.insertInto('regions').values(before).execute();
        await sql`SELECT SLEEP(2)`.execute(tx).catch(() => {});
        // Goes on although its time is up, as code does that nobody can stop.
        finished.resolve(
          await tx
            .insertInto('regions')
            .values(after)
            .execute()
            .catch((error: unknown) => error),
        );
      },
      { limitMs: 200 },
    );

    await expect(work).rejects.toMatchObject({ name: 'TimeoutError' });
    expect(await finished.promise).toMatchObject({ name: 'TimeoutError' });
    expect([await exists(db, before), await exists(db, after)]).toEqual([false, false]);
  });

  test('that waits for a connection too long is never begun', async () => {
    const db = useDatabase({ poolSize: 1 });
    const region = newRegion();
    const released = Promise.withResolvers<void>();
    const holding = db.connection().execute(() => released.promise);

    const work = inTransaction(db, (tx) => tx.insertInto('regions').values(region).execute(), { limitMs: 100 });
    await expect(work).rejects.toMatchObject({ name: 'TimeoutError' });
    released.resolve();
    await holding;

    expect(await exists(db, region)).toBe(false);
  });
});

describe('a transaction that may tell hosts', () => {
  test('is not committed past its limit by a process that stood still', async () => {
    const db = useDatabase();
    const region = newRegion();

    const work = inTransaction(
      db,
      async (tx) => {
        await tx.insertInto('regions').values(region).execute();
        standStill(300);
      },
      { limitMs: 200 },
    );

    await expect(work).rejects.toMatchObject({ name: 'TimeoutError' });
    expect(await exists(db, region)).toBe(false);
  });

  test('is not begun with a limit that is longer than what looks for told hosts reach back', async () => {
    const db = useDatabase();
    const limitMs = LONGEST_TRANSACTION_MS + 1;

    const begun = inTransaction(db, async () => 'begun', { limitMs });
    await expect(begun).rejects.toBeInstanceOf(TransactionLimitError);
    const alsoBegun = inTwoRoundTrips(db, [db.selectFrom('regions').selectAll()], nothing, { limitMs });
    await expect(alsoBegun).rejects.toBeInstanceOf(TransactionLimitError);
  });

  test('tells a host that the next look finds, be the transaction and the break between two looks the longest', async () => {
    const db = useDatabase();
    const region = newRegion();
    await db.insertInto('regions').values(region).execute();
    const { id: region_id } = await db
      .selectFrom('regions')
      .select('id')
      .where('slug', '=', region.slug)
      .executeTakeFirstOrThrow();
    const raisedBefore = async (milliseconds: number) => {
      const name = `host-${randomBytes(4).toString('hex')}`;
      const signalled_at = sql<Date>`NOW(3) - INTERVAL ${milliseconds * 1_000} MICROSECOND`;
      const { insertId } = await db
        .insertInto('hosts')
        .values({ name, region_id, state: 'active', anchor_cidr: '10.0.0.0/16', next_anchor: 0, last_sequence: 7 })
        .executeTakeFirstOrThrow();
      await db.updateTable('hosts').set({ signalled_at }).where('name', '=', name).execute();
      return Number(insertId);
    };
    const late = await raisedBefore(LONGEST_TRANSACTION_MS + LONGEST_GAP_MS);
    const tooLate = await raisedBefore(LOOKBACK_MS + 1_000);

    const found = new Map((await listRaisedHosts(db, LOOKBACK_MS)).map(({ id, lastSequence }) => [id, lastSequence]));

    expect(found.get(late)).toBe(7);
    expect(found.has(tooLate)).toBe(false);
  });
});

test('a transaction without that limit is none that can tell hosts', async () => {
  const db = useDatabase();

  const work = inLongTransaction(
    db,
    async (tx) => {
      // @ts-expect-error What writes for hosts wants a transaction that is held to the limit.
      await endAsErrored(tx, newOperationId(), [], 'no reason');
      return 'told nobody';
    },
    { limitMs: 60_000 },
  );

  expect(await work).toBe('told nobody');
});

/** As a process does that was stopped, or that computes. */
function standStill(milliseconds: number): void {
  const until = performance.now() + milliseconds;
  while (performance.now() < until);
}

describe('a transaction of two round trips', () => {
  test('commits its writes with what they did', async () => {
    const db = useDatabase();
    const [first, second] = [newRegion(), newRegion()];

    const ids = await inTwoRoundTrips<number[]>(db, [db.selectFrom('regions').select('id').limit(1)], () => ({
      kind: 'commit',
      writes: [db.insertInto('regions').values(first), db.insertInto('regions').values(second)],
      result: (written) => written.map(({ insertId }) => insertId),
    }));

    expect(ids).toEqual([expect.any(Number), expect.any(Number)]);
    expect([await exists(db, first), await exists(db, second)]).toEqual([true, true]);
  });

  test('locks with its reads, and gives the locks up when it is rolled back', async () => {
    const db = useDatabase();
    const region = newRegion();
    await db.insertInto('regions').values(region).execute();
    const lock = db.selectFrom('regions').select('id').where('slug', '=', region.slug).forUpdate();
    const entered = Promise.withResolvers<void>();

    const holding = inTransaction(db, async (tx) => {
      await tx.executeQuery(lock);
      entered.resolve();
      await expect(inTwoRoundTrips(db, [lock], nothing, { limitMs: 300 })).rejects.toMatchObject({
        name: 'TimeoutError',
      });
    });
    await entered.promise;
    await holding;

    expect(await inTwoRoundTrips(db, [lock], nothing)).toBe('nothing');
    expect(await lock.noWait().execute()).toHaveLength(1);
  });

  test('leaves nothing when one of its writes fails, and says why', async () => {
    const db = useDatabase();
    const [earlier, last] = [newRegion(), newRegion()];

    const work = inTwoRoundTrips(db, [db.selectFrom('regions').select('id').limit(1)], () => ({
      kind: 'commit',
      writes: [earlier, last, earlier].map((region) => db.insertInto('regions').values(region)),
      result: () => 'done',
    }));

    await expect(work).rejects.toThrow(/duplicate/i);
    expect([await exists(db, earlier), await exists(db, last)]).toEqual([false, false]);
  });

  test('whose writes are not answered in time is in doubt', async () => {
    const db = useDatabase();
    const region = newRegion();

    const work = inTwoRoundTrips(
      db,
      [db.selectFrom('regions').select('id').limit(1)],
      () => ({
        kind: 'commit',
        writes: [db.insertInto('regions').values(region), { compile: () => sql`DO SLEEP(2)`.compile(db) }],
        result: () => 'done',
      }),
      { limitMs: 200 },
    );

    await expect(work).rejects.toBeInstanceOf(CommitInDoubtError);
    // Its session was ended on the server, too.
    await expect.poll(() => exists(db, region)).toBe(false);
  });
});
