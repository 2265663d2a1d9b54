import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { DEV_FOLDER, PROJECT_FOLDER } from '../../dev/environment/paths.ts';
import { packClient } from '../../dev/tools/client-package.ts';

const run = promisify(execFile);

const LOCK_FILE = join(PROJECT_FOLDER, 'package-lock.json');
const lockSchema = z.object({ lockfileVersion: z.int(), packages: z.record(z.string(), z.unknown()) });

/**
 * Makes an empty project in a folder with the SDK as its only dependency. npm finds in the lock file which versions this
 * project has, and their packages in its cache, where {@link fetchClientPackages} has put them.
 */
export function installClient(folder: string): Promise<void> {
  return install(folder, '--offline');
}

/** Has npm fetch into its cache what the SDK depends on, once for each lock file: most of it came there by `npm ci`. */
export async function fetchClientPackages(): Promise<void> {
  const hash = createHash('sha256')
    .update(await readFile(LOCK_FILE))
    .digest('hex');
  const proof = join(DEV_FOLDER, 'fetch', `client-packages-${hash}`);
  if (await readFile(proof).catch(() => null)) return;
  const folder = await mkdtemp(join(tmpdir(), 'client-packages-'));
  try {
    await install(folder, '--prefer-offline');
  } finally {
    await rm(folder, { recursive: true });
  }
  await mkdir(join(DEV_FOLDER, 'fetch'), { recursive: true });
  await writeFile(proof, 'fetched\n');
}

async function install(folder: string, network: '--offline' | '--prefer-offline'): Promise<void> {
  const name = 'internal-service';
  const { packages, ...lock } = lockSchema.parse(JSON.parse(await readFile(LOCK_FILE, 'utf8')));
  await writeFile(join(folder, 'package.json'), JSON.stringify({ name, private: true, type: 'module' }));
  const seeded = { ...lock, name, packages: { ...packages, '': { name } } };
  await writeFile(join(folder, 'package-lock.json'), JSON.stringify(seeded));
  const tarball = await packClient(folder);
  await run('npm', ['install', tarball, network, '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: folder });
}
