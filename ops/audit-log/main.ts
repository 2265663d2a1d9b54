import { InvalidArgumentError } from 'commander';
import type { EntryTable } from '../../db/audit-log-chain.ts';
import { type Database, openDatabase, requireDatabase } from '../../db/database.ts';
import { type ChainAnchor, readAnchor, writeAnchor } from '../../domain/audit-log-chain.ts';
import { runProcess } from '../../platform/config/run-process.ts';
import { parseMysqlSettings } from '../../platform/config/servers.ts';
import { ENVIRONMENT_FILE, readEnvironmentFile } from '../../platform/env-file.ts';
import { commandLine, print } from '../../platform/text/print.ts';
import { shown } from '../../platform/text/visible.ts';
import { sealAuditLog, verifyAuditLog } from './chain.ts';

/*
 * Seals and verifies the audit log, on the database itself: what is to be proved must not be asked of the application.
 */

const program = commandLine('audit-log').description(
  'Seals and verifies the audit log by a chain of hashes. Reads MYSQL_URL from the environment, or from .dev/env.',
);

program
  .command('verify')
  .description('check every entry; names the first one that was changed, removed or added, and exits with 1')
  .option(
    '--anchor <number:hash>',
    'the anchor that an earlier run printed: starts there, and finds entries that were cut off at the end',
    anchorOf,
  )
  .option('--archived-through <id>', 'entries up to this one were archived: only their batches are checked', numberOf)
  .option(
    '--through <id>',
    'only entries up to this one are checked: the last one of a table that was put aside',
    numberOf,
  )
  .option('--table <table>', 'where the entries are, such as audit_log_2026_11', tableOf)
  .action(async (options: { anchor?: ChainAnchor; archivedThrough?: number; through?: number; table?: EntryTable }) => {
    await withDatabase(async (db) => {
      const { batches, entries, unsealed, head, finding } = await verifyAuditLog({ db, ...options });
      print(`${entries} entries in ${batches} batches are checked; ${unsealed} are not sealed yet`);
      if (head) print(`anchor ${writeAnchor(head)}`);
      print(finding === null ? 'the audit log is whole' : shown`NOT WHOLE: ${finding}`);
      process.exitCode = finding === null ? 0 : 1;
    });
  });

program
  .command('seal')
  .description('seal the committed entries, as the scheduled reconciler does')
  .option('--table <table>', 'where the entries are, such as audit_log_2026_11', tableOf)
  .action(async (options: { table?: EntryTable }) => {
    await withDatabase(async (db) => {
      const { entries, head, waiting } = await sealAuditLog({ db, ...options });
      print(`${entries} entries are sealed${waiting ? '; the rest wait for a transaction that has not ended' : ''}`);
      if (head) print(`anchor ${writeAnchor(head)}`);
    });
  });

async function withDatabase(work: (db: Database) => Promise<void>): Promise<void> {
  const environment = { ...(await readEnvironmentFile(ENVIRONMENT_FILE)), ...process.env };
  const settings = parseMysqlSettings(environment);
  const db = openDatabase({ ...settings, poolSize: 1 });
  try {
    await requireDatabase(db, settings);
    await work(db);
  } finally {
    await db.destroy();
  }
}

function anchorOf(text: string): ChainAnchor {
  const anchor = readAnchor(text);
  if (anchor === null) throw new InvalidArgumentError('It is a number, a colon and 64 hexadecimal digits.');
  return anchor;
}

function numberOf(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('It is the number of an entry.');
  return Number(text);
}

function tableOf(text: string): EntryTable {
  if (!/^audit_log(_[a-z0-9_]{1,40})?$/.test(text))
    throw new InvalidArgumentError('It is audit_log or begins with audit_log_.');
  return `audit_log${text.slice('audit_log'.length)}`;
}

runProcess(async () => {
  await program.parseAsync();
});
