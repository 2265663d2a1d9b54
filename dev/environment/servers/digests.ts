import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { EnvironmentError } from '../errors.ts';
import { exists } from './cache.ts';

/** Where the digests are kept: a file for each download, in the form of `sha256sum`. */
export const DIGESTS_FOLDER = fileURLToPath(new URL('./digests/', import.meta.url));

/** SHA-256 in hexadecimal, by file name. */
export type Digests = ReadonlyMap<string, string>;

/** A file is not the one that this repository names; it was deleted. */
export class WrongDigestError extends EnvironmentError {
  override readonly name = 'WrongDigestError';
  readonly file: string;
  /** Null when the repository does not name the file. */
  readonly expected: string | null;
  /** Null when the file was not there. */
  readonly found: string | null;

  constructor(file: string, { expected, found }: { expected: string | null; found: string | null }) {
    const wanted = expected === null ? 'no such file' : `SHA-256 ${expected}`;
    super(`${file} is not what was pinned and was deleted: expected ${wanted}, found ${found ?? 'no file'}.`);
    this.file = file;
    this.expected = expected;
    this.found = found;
  }
}

/** Reads the digests of a download, such as `kafka-4.1.0`. Throws {@link EnvironmentError} when there are none. */
export async function readDigests(name: string): Promise<Digests> {
  const file = join(DIGESTS_FOLDER, `${name}.sha256`);
  const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '');
  const entries = lines.map((line): [string, string] => {
    const [, digest, path] = /^([0-9a-f]{64}) {2}(\S+)$/.exec(line) ?? [];
    if (digest === undefined || path === undefined)
      throw new EnvironmentError(`${file} has a line that is no digest: ${line}`);
    return [path, digest];
  });
  if (entries.length === 0) throw new EnvironmentError(`${file} has no digests.`);
  return new Map(entries);
}

/** The SHA-256 of a file, in hexadecimal. */
export async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

/**
 * Compares one file with its digest. A file that is another is deleted, so that nothing can use it.
 *
 * @throws {WrongDigestError}
 */
export async function verifyFile(file: string, expected: string): Promise<void> {
  const found = (await exists(file)) ? await digestOf(file) : null;
  if (found === expected) return;
  await rm(file, { force: true });
  throw new WrongDigestError(file, { expected, found });
}

/**
 * Compares a folder with its digests: it must hold those files and no other.
 *
 * @throws {WrongDigestError} for the first file that is wrong, missing or not named.
 */
export async function verifyFolder(folder: string, digests: Digests): Promise<void> {
  for (const name of await readdir(folder)) {
    if (digests.has(name)) continue;
    const file = join(folder, name);
    const found = await digestOf(file).catch(() => 'a folder');
    await rm(file, { recursive: true, force: true });
    throw new WrongDigestError(file, { expected: null, found });
  }
  for (const [name, expected] of digests) await verifyFile(join(folder, name), expected);
}

/**
 * Does the same with what is in the cache already. All of it is deleted when something is wrong, so that the next start
 * gets it anew.
 *
 * @throws {WrongDigestError}
 */
export async function verifyCached(target: string, verify: () => Promise<void>): Promise<void> {
  try {
    await verify();
  } catch (error) {
    await rm(target, { recursive: true, force: true });
    throw error;
  }
}
