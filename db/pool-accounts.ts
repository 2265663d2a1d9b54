import { sql } from 'kysely';
import type { IpVersion } from '../domain/address.ts';
import type { Database } from './database.ts';

/** What one account has of the addresses of one IP version in a region. */
export interface PoolAccount {
  ipVersion: IpVersion;
  accountId: number;
  name: string;
  held: number;
  /** Released by it, and not available yet. */
  cooling: number;
  /** Both, in percent of the addresses of that IP version in the region. */
  percent: number;
}

/** The accounts that have the most of a region's addresses, at most `limit` of each IP version. Null: no such region. */
export async function listPoolAccounts(db: Database, slug: string, limit: number): Promise<PoolAccount[] | null> {
  const region = await db.selectFrom('regions').select('id').where('slug', '=', slug).executeTakeFirst();
  if (!region) return null;
  const { rows } = await sql<Omit<PoolAccount, 'ipVersion'> & { family: number }>`
    SELECT family, accountId, accounts.name, held, cooling, percent
    FROM (
      SELECT taken.*, ROUND(100 * (held + cooling) / size, 1) + 0E0 AS percent,
             ROW_NUMBER() OVER (PARTITION BY family ORDER BY held + cooling DESC, accountId) AS place
      FROM (
        SELECT family, accountId, COUNT(CASE WHEN isHeld THEN 1 END) AS held, COUNT(CASE WHEN NOT isHeld THEN 1 END) AS cooling
        FROM (
          SELECT family, account_id AS accountId, state = 'reserved' AS isHeld
          FROM addresses WHERE region_id = ${region.id} AND state IN ('reserved', 'releasing')
          UNION ALL
          SELECT family, released_by, FALSE
          FROM addresses
          WHERE region_id = ${region.id} AND state = 'free' AND available_at > NOW(3) AND released_by IS NOT NULL
        ) AS unavailable
        GROUP BY family, accountId
      ) AS taken
      JOIN (SELECT family AS sizeFamily, COUNT(*) AS size FROM addresses WHERE region_id = ${region.id} GROUP BY family) AS sizes
        ON sizeFamily = family
    ) AS placed
    JOIN accounts ON accounts.id = accountId
    WHERE place <= ${limit}
    ORDER BY family, place`.execute(db);
  return rows.map(({ family, ...row }) => ({ ...row, ipVersion: family === 4 ? 4 : 6 }));
}
