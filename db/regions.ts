import { queryLimit } from './bounded.ts';
import type { Database } from './database.ts';

/** A region as customers see it. */
export interface RegionRecord {
  slug: string;
  name: string;
}

/** All regions, by slug. */
export async function listRegions(db: Database): Promise<RegionRecord[]> {
  return db.selectFrom('regions').select(['slug', 'name']).orderBy('slug').execute(queryLimit());
}

/** Makes a region, or gives it another name. */
export async function putRegion(db: Database, region: RegionRecord): Promise<void> {
  await db.insertInto('regions').values(region).onDuplicateKeyUpdate({ name: region.name }).execute(queryLimit());
}
