import { openDatabase } from '../../db/database.ts';
import { migrate } from '../../db/migrator.ts';
import { UnsafeDatabaseError } from '../../db/unsafe-database.ts';
import { openTemporalClient } from '../../platform/temporal/connection.ts';
import { print, printError, printUncaughtErrors } from '../../platform/text/print.ts';
import { shown } from '../../platform/text/visible.ts';
import { scheduleReconciler } from './reconciler-schedule.ts';
import { registerSearchAttributes } from './search-attributes.ts';
import { parseMigrationConfiguration } from './settings.ts';

printUncaughtErrors();

/*
 * Brings the servers to what this version needs. Safe to run twice, and beside a running system.
 */

const configuration = parseMigrationConfiguration(process.env);

const db = openDatabase({ ...configuration.mysql, poolSize: 2 });
const applied = await migrate(db)
  .catch(endProcess)
  .finally(() => db.destroy());
print(applied.length === 0 ? 'database: up to date' : shown`database: applied ${applied.join(', ')}`);

const temporal = openTemporalClient(configuration.temporal);
const registered = await prepareTemporal().finally(() => temporal.connection.close());

async function prepareTemporal(): Promise<string[]> {
  const names = await registerSearchAttributes(temporal);
  await scheduleReconciler(temporal, configuration.AUDIT_EVERY_SECONDS);
  return names;
}

const { namespace } = configuration.temporal;
print(
  registered.length === 0
    ? 'search attributes: up to date'
    : shown`search attributes: registered ${registered.join(', ')} in namespace ${namespace}`,
);
const { AUDIT_EVERY_SECONDS: every } = configuration;
print(every === 0 ? 'audit: not scheduled' : `audit: every ${every} s`);

function endProcess(error: unknown): never {
  if (!(error instanceof UnsafeDatabaseError)) throw error;
  printError(error.message);
  process.exit(1);
}
