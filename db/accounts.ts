import { queryLimit } from './bounded.ts';
import type { Database } from './database.ts';

/** An account as its owner sees it. */
export interface AccountRecord {
  uuid: string;
  name: string;
  email: string;
  reservedIpLimit: number;
  dropletLimit: number;
}

/** The account with this number. */
export async function findAccount(db: Database, accountId: number): Promise<AccountRecord | null> {
  const row = await db
    .selectFrom('accounts')
    .select(['uuid', 'name', 'email', 'reserved_ip_limit', 'droplet_limit'])
    .where('id', '=', accountId)
    .executeTakeFirst(queryLimit());
  if (!row) return null;
  return {
    uuid: row.uuid,
    name: row.name,
    email: row.email,
    reservedIpLimit: row.reserved_ip_limit,
    dropletLimit: row.droplet_limit,
  };
}
