import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readEnvironmentFile, writeEnvironmentFile } from './env-file.ts';

test('values of any kind come back as they were, also in a shell, and only their owner can read them', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'reserved-ip-env-'));
  try {
    const path = join(folder, 'deeper', 'env');
    const values = { API_URL: 'http://127.0.0.1:8080', MYSQL_URL: 'mysql://a:b$c"d@e/f', QUOTED: "it's '$HOME'" };
    await writeEnvironmentFile(path, values);
    expect(await readEnvironmentFile(path)).toEqual(values);
    const shell = execFileSync('sh', ['-c', `. '${path}'; printf '%s|%s' "$MYSQL_URL" "$QUOTED"`], {
      encoding: 'utf8',
    });
    expect(shell).toBe(`${values.MYSQL_URL}|${values.QUOTED}`);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('a file that is not there holds nothing', async () => {
  expect(await readEnvironmentFile('/no/such/file')).toEqual({});
});
