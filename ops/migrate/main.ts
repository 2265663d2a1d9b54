import type { Client } from '@temporalio/client';
import { openDatabase, requireDatabase } from '../../db/database.ts';
import { migrate } from '../../db/migrator.ts';
import { runProcess } from '../../platform/config/run-process.ts';
import { openTemporalClient, requireTemporal } from '../../platform/temporal/connection.ts';
import { print } from '../../platform/text/print.ts';
import { shown } from '../../platform/text/visible.ts';
import { scheduleReconciler } from './reconciler-schedule.ts';
import { registerSearchAttributes } from './search-attributes.ts';
import { type MigrationConfiguration, parseMigrationConfiguration } from './settings.ts';

/*
 * Brings the servers to what this version needs. Safe to run twice, and beside a running system.
 */

async function main(): Promise<void> {
  const configuration = parseMigrationConfiguration(process.env);
  await prepareDatabase(configuration);
  const temporal = openTemporalClient(configuration.temporal);
  await prepareTemporal(temporal, configuration).finally(() => temporal.connection.close());
}

async function prepareDatabase({ mysql }: MigrationConfiguration): Promise<void> {
  const db = openDatabase({ ...mysql, poolSize: 2 });
  try {
    await requireDatabase(db, mysql);
    const applied = await migrate(db);
    print(applied.length === 0 ? 'database: up to date' : shown`database: applied ${applied.join(', ')}`);
  } finally {
    await db.destroy();
  }
}

async function prepareTemporal(temporal: Client, configuration: MigrationConfiguration): Promise<void> {
  const { temporal: settings, AUDIT_EVERY_SECONDS: every } = configuration;
  await requireTemporal(temporal, settings);
  const registered = await registerSearchAttributes(temporal);
  await scheduleReconciler(temporal, every);
  print(
    registered.length === 0
      ? 'search attributes: up to date'
      : shown`search attributes: registered ${registered.join(', ')} in namespace ${settings.namespace}`,
  );
  print(every === 0 ? 'reconciler: not scheduled' : `reconciler: every ${every} s`);
}

runProcess(main);
