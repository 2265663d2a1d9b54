import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { EnvironmentError, messageOf } from './errors.ts';
import type { Report } from './servers/options.ts';

const run = promisify(execFile);
const TIMEOUT_MS = 300_000;
const LARGEST_OUTPUT = 64 * 1024 * 1024;

/** What {@link installMissing} is to install. */
export interface PackageNeed {
  /** What needs the packages, as the subject of a sentence. */
  readonly purpose: string;
  /** The Debian package of each command. */
  readonly packages: Readonly<Record<string, string>>;
  readonly report: Report;
}

/**
 * Installs the packages of those commands that are missing, with Debian's package manager where there is one.
 *
 * @throws {EnvironmentError} with those that are missing and how to get them.
 */
export async function installMissing({ purpose, packages, report }: PackageNeed): Promise<void> {
  const missing: string[] = [];
  for (const [command, name] of Object.entries(packages)) if (!(await isCommand(command))) missing.push(name);
  if (missing.length === 0) return;
  const needed = `${purpose} needs these packages: ${missing.join(' ')}`;
  if (!(await isCommand('apt-get'))) throw new EnvironmentError(needed);
  if (process.getuid?.() !== 0) throw new EnvironmentError(`${needed}. Installing them needs root`);
  report(`${purpose}: installing ${missing.join(' ')}`);
  try {
    await aptGet('update', '-q');
    await aptGet('install', '-y', '-q', '--no-install-recommends', ...missing);
  } catch (error) {
    throw new EnvironmentError(`${needed}. Installing them failed: ${messageOf(error)}`);
  }
}

/** Whether a command is on PATH. */
export async function isCommand(command: string): Promise<boolean> {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const found = await Promise.all(
    folders.map((folder) =>
      access(join(folder, command), constants.X_OK).then(
        () => true,
        () => false,
      ),
    ),
  );
  return found.includes(true);
}

async function aptGet(...commandArguments: string[]): Promise<void> {
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  await run('apt-get', commandArguments, {
    env: environment,
    timeout: TIMEOUT_MS,
    maxBuffer: LARGEST_OUTPUT,
  });
}
