import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exists } from './cache.ts';
import type { Report } from './options.ts';

const DATABASE = 'temporal.db';
/** Beside the database: the version of the server that writes to it. */
const VERSION_FILE = 'server-version';
/** Of data that bears no version: that of the only server there was before versions were noted. */
const UNMARKED_VERSION = '1.29.1';

/**
 * Makes the folder ready for a development server, and answers the path of its database. Such a server makes its tables once
 * and never changes them, so it can read what its own minor version left and nothing else: it starts, and fails at the first
 * schedule. What another version left is set aside, which loses no operation: those that were running are started again by
 * the scheduled consistency check.
 */
export async function prepareTemporalData(folder: string, serverVersion: string, report: Report): Promise<string> {
  const dataVersion = await versionOf(folder);
  if (dataVersion !== undefined && minorOf(dataVersion) !== minorOf(serverVersion)) {
    const aside = `${folder}-${dataVersion}`;
    await rm(aside, { recursive: true, force: true });
    await rename(folder, aside);
    report(
      `Temporal ${serverVersion} cannot read the data of ${dataVersion}, which is now in ${aside}. It begins with none; operations that were running are started again.`,
    );
  }
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, VERSION_FILE), `${serverVersion}\n`);
  return join(folder, DATABASE);
}

/** The version of the server whose data is in a folder; undefined when there is none. */
async function versionOf(folder: string): Promise<string | undefined> {
  if (!(await exists(join(folder, DATABASE)))) return undefined;
  const text = await readFile(join(folder, VERSION_FILE), 'utf8').catch(() => UNMARKED_VERSION);
  return /^\d+\.\d+\.\d+$/.exec(text.trim())?.[0] ?? UNMARKED_VERSION;
}

function minorOf(version: string): string {
  return version.split('.').slice(0, 2).join('.');
}
