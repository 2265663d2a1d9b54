import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where `npm start` leaves addresses and tokens, for shells to source and for command lines to read. */
export const ENVIRONMENT_FILE = join(fileURLToPath(new URL('..', import.meta.url)), '.dev', 'env');

/** Names and values as kept in `.dev/env`. */
export type EnvironmentValues = Readonly<Record<string, string>>;

/**
 * Writes a file that a shell can source: one `export NAME='value'` a line. Only its owner may read it, because it holds
 * tokens and passwords.
 */
export async function writeEnvironmentFile(path: string, values: EnvironmentValues): Promise<void> {
  const lines = Object.entries(values).map(([name, value]) => `export ${name}='${value.replaceAll("'", "'\\''")}'`);
  await mkdir(dirname(path), { recursive: true });
  const draft = `${path}.${process.pid}.draft`;
  await writeFile(draft, `${lines.join('\n')}\n`, { mode: 0o600 });
  await chmod(draft, 0o600);
  await rename(draft, path);
}

/** Reads what `writeEnvironmentFile` wrote; empty when there is no such file. */
export async function readEnvironmentFile(path: string): Promise<EnvironmentValues> {
  const text = await readFile(path, 'utf8').catch(() => '');
  const matches = text.matchAll(/^export (\w+)='((?:[^']|'\\'')*)'$/gm);
  return Object.fromEntries([...matches].map(([, name = '', value = '']) => [name, value.replaceAll("'\\''", "'")]));
}
