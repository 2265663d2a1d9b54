import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { buildIntoCache, exists, withProgress } from '../../environment/servers/cache.ts';
import type { FetchContext } from '../../environment/servers/options.ts';

const DIGEST_LENGTH = 12;

/** A folder of the cache that takes a while to make. */
export interface CachedFolder {
  /** Of the folder in the cache, to which a digest of `madeFrom` is added. */
  readonly name: string;
  /** Whatever it must be made anew for when it changes: versions, names of packages. */
  readonly madeFrom: readonly string[];
  /** A file that is there when it is whole. */
  readonly provingFile: string;
  /** What is made, and from what, for whoever waits. */
  readonly label: string;
  readonly details: string;
}

/** Makes a folder of the cache unless it is there; answers its path. */
export async function builtOnce(
  context: FetchContext,
  { name, madeFrom, provingFile, label, details }: CachedFolder,
  build: (draft: string) => Promise<void>,
): Promise<string> {
  const digest = createHash('sha256').update(madeFrom.join('\n')).digest('hex').slice(0, DIGEST_LENGTH);
  const folder = join(context.cacheFolder, `${name}-${digest}`);
  if (await exists(join(folder, provingFile))) return folder;
  await withProgress(context.report, label, details, () => buildIntoCache(folder, provingFile, build));
  return folder;
}
