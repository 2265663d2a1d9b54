import { Migrator } from 'kysely/migration';
import type { Database } from './database.ts';
import * as tables from './migrations/0001-tables.ts';
import * as auditLog from './migrations/0002-audit-log.ts';
import * as endedActions from './migrations/0003-ended-actions.ts';
import * as coexistence from './migrations/0004-coexistence.ts';
import * as failedHostEvents from './migrations/0005-failed-host-events.ts';
import * as auditLogChain from './migrations/0006-audit-log-chain.ts';
import * as poolShares from './migrations/0007-pool-shares.ts';
import * as operatorTokens from './migrations/0008-operator-tokens.ts';
import * as outbox from './migrations/0009-outbox.ts';

const migrations = {
  '0001-tables': { up: tables.up },
  '0002-audit-log': { up: auditLog.up },
  '0003-ended-actions': { up: endedActions.up },
  '0004-coexistence': { up: coexistence.up },
  '0005-failed-host-events': { up: failedHostEvents.up },
  '0006-audit-log-chain': { up: auditLogChain.up },
  '0007-pool-shares': { up: poolShares.up },
  '0008-operator-tokens': { up: operatorTokens.up },
  '0009-outbox': { up: outbox.up },
};

/**
 * Brings the database to the newest version and answers what it applied; does nothing when it is there already, and
 * lets only one process at a time do it. Throws the error of the migration that failed.
 */
export async function migrate(db: Database): Promise<string[]> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } });
  const { error, results } = await migrator.migrateToLatest();
  if (error) throw error;
  return (results ?? []).map((result) => result.migrationName);
}
