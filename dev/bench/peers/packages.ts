import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { printError } from '../../../platform/text/print.ts';
import { PROJECT_FOLDER } from '../../environment/paths.ts';
import type { ProcessSupervisor } from '../../environment/processes.ts';

const FOLDER = fileURLToPath(new URL('.', import.meta.url));
/** Says of which lockfile the installed packages are. */
const MARK = join(FOLDER, 'node_modules', '.lockfile-hash');

/** Installs the peers' packages exactly as their lockfile says, unless they are there. Runs no script of a package. */
export async function installPackages(supervisor: ProcessSupervisor): Promise<void> {
  const hash = createHash('sha256')
    .update(await readFile(join(FOLDER, 'package-lock.json')))
    .digest('hex');
  if ((await readFile(MARK, 'utf8').catch(() => '')) === hash) return;
  printError('Installing the packages of the peers with `npm ci` …');
  await supervisor.run({
    name: 'npm-ci',
    role: 'tool',
    command: 'npm',
    arguments: ['ci', '--ignore-scripts', '--no-audit', '--no-fund'],
    workingFolder: FOLDER,
    environment: process.env,
  });
  await writeFile(MARK, hash);
}

/** Type-checks this folder, which the project's own check leaves out in part because it has no peers' packages. */
export async function checkTypes(supervisor: ProcessSupervisor): Promise<void> {
  await supervisor.run({
    name: 'check-peers',
    role: 'tool',
    command: process.execPath,
    arguments: [join(PROJECT_FOLDER, 'node_modules', '@typescript', 'native', 'bin', 'tsc'), '--noEmit', '-p', FOLDER],
    environment: process.env,
  });
}
