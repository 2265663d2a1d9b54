import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { StackError } from '../errors.ts';
import type { TemporalCommand } from './temporal-cli.ts';

/** Beside the database of a development server: the version of the newest one that wrote to it. */
const VERSION_FILE = 'server-version';

/**
 * A server reads what older ones left and takes it to its own form. It cannot read what newer ones left: it starts, and
 * fails later, at the first schedule.
 */
export class NewerTemporalDataError extends StackError {
  override readonly name = 'NewerTemporalDataError';
  readonly folder: string;
  readonly dataVersion: string;
  readonly serverVersion: string;

  constructor(folder: string, dataVersion: string, { path, serverVersion }: TemporalCommand) {
    super(
      `Temporal ${dataVersion} wrote the data in ${folder}, and ${path} is Temporal ${serverVersion}, which cannot read it: ` +
        'set TEMPORAL_CLI to a newer `temporal`, or delete that folder (running operations are then started again).',
    );
    this.folder = folder;
    this.dataVersion = dataVersion;
    this.serverVersion = serverVersion;
  }
}

/**
 * Refuses data that a newer server left.
 *
 * @throws {NewerTemporalDataError}
 */
export async function assertDataReadable(folder: string, command: TemporalCommand): Promise<void> {
  const version = await versionOfData(folder);
  if (version !== undefined && isNewer(version, command.serverVersion)) {
    throw new NewerTemporalDataError(folder, version, command);
  }
}

/** Notes which server has begun to write to the data. */
export async function noteDataVersion(folder: string, { serverVersion }: TemporalCommand): Promise<void> {
  await writeFile(join(folder, VERSION_FILE), `${serverVersion}\n`);
}

async function versionOfData(folder: string): Promise<string | undefined> {
  const text = await readFile(join(folder, VERSION_FILE), 'utf8').catch(() => undefined);
  return text?.trim();
}

/** Whether a version is of a later minor version than another; patches do not change the data. */
function isNewer(one: string, other: string): boolean {
  const [oneMajor = 0, oneMinor = 0] = one.split('.').map(Number);
  const [otherMajor = 0, otherMinor = 0] = other.split('.').map(Number);
  return oneMajor > otherMajor || (oneMajor === otherMajor && oneMinor > otherMinor);
}
