import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { useFolder } from './folder.ts';
import { findSecrets } from './secrets-in-logs.ts';

test('the search for secrets finds a named one, any token and any private key, and nothing in an honest log', async () => {
  const folder = await useFolder();
  const secrets = { 'the admin token': randomBytes(24).toString('base64url') };
  await mkdir(join(folder, 'inner'));
  await writeFile(join(folder, 'api.log'), '{"path":"/v2/reserved_ips","status":200}\n{"msg":"rip_…"}\n');
  expect(await findSecrets(folder, secrets)).toEqual([]);

  const token = `riph_${randomBytes(32).toString('base64url')}`;
  const lines = [`{"a":"${secrets['the admin token']}"}`, 'honest', `{"b":"${token}"}`, '-----BEGIN PRIVATE KEY-----'];
  await writeFile(join(folder, 'inner', 'worker.log'), lines.join('\n'));
  expect(await findSecrets(folder, secrets)).toMatchObject([
    { line: 1, secret: 'the admin token' },
    { line: 3, secret: 'a token' },
    { line: 4, secret: 'a private key' },
  ]);
});
