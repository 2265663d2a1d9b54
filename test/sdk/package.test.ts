import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { z } from 'zod';
import { PROJECT_FOLDER } from '../../dev/environment/paths.ts';
import { useWorld } from '../support/world.ts';
import { installClient } from './install-client.ts';

const run = promisify(execFile);

const INSTALL_MS = 180_000;

const manifestSchema = z.object({
  dependencies: z.record(z.string(), z.string()),
  peerDependencies: z.record(z.string(), z.string()),
});

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'internal-service-'));
  await installClient(folder);
  await copyFile(join(PROJECT_FOLDER, 'test', 'sdk', 'service', 'walk.ts'), join(folder, 'walk.ts'));
}, INSTALL_MS);
afterAll(() => rm(folder, { recursive: true }));

test("the SDK's package depends on Temporal's client and on little else", async () => {
  const text = await readFile(join(folder, 'node_modules', 'reserved-ip-client', 'package.json'), 'utf8');
  const { dependencies, peerDependencies } = manifestSchema.parse(JSON.parse(text));

  // What the service shares with it: clients, errors, search attributes.
  expect(Object.keys(peerDependencies)).toEqual(['@temporalio/client', '@temporalio/common']);
  // Payloads of the codec, spellings of addresses, ids of operations, and what workflows answer.
  expect(Object.keys(dependencies)).toEqual(['@temporalio/proto', 'ipaddr.js', 'uuid', 'zod']);
});

test('a service that has installed only the SDK type-checks against it', async () => {
  expect(await typeErrors('walk.ts')).toBe('');

  const wrong =
    "import { createReservedIpClient } from 'reserved-ip-client';\ncreateReservedIpClient({ temporal: 7 });\n";
  await writeFile(join(folder, 'wrong.ts'), wrong);
  expect(await typeErrors('wrong.ts')).toContain("Type 'number' is not assignable to type 'Client'");
});

test("the SDK's own types are whole without those of this project", async () => {
  // Temporal's are not, under options as strict as these.
  const errors = await typeErrors('walk.ts', { skipLibCheck: false });

  expect(errors.split('\n').filter((line) => line.includes('reserved-ip-client'))).toEqual([]);
  expect(errors.split('\n').filter((line) => line.startsWith('walk.ts'))).toEqual([]);
});

test('a service that has installed only the SDK walks an address through its life', async () => {
  const world = await useWorld({ agents: 2 });
  const account = await world.account();
  const droplets = await world.droplets(account, 2);
  // Nothing is encrypted here, which a service with keys must be able to read too.
  const keys = `plain,old:${randomBytes(32).toString('base64')}`;

  const walkArguments = [inject('environment').temporalAddress, keys, account.id, world.region, ...droplets].map(
    String,
  );
  const { stdout } = await run(process.execPath, ['walk.ts', ...walkArguments], { cwd: folder });

  const { ip, outcomes } = z.object({ ip: z.string(), outcomes: z.array(z.unknown()) }).parse(JSON.parse(stdout));
  const completed = { kind: 'completed', address: ip };
  const rejected = { kind: 'refused', refusal: 'not_assigned' };
  expect(outcomes).toMatchObject([completed, completed, completed, completed, rejected, completed]);
  expect(await account.http.get(`/v2/reserved_ips/${ip}`)).toMatchObject({ status: 404 });
});

/** What the compiler says of a file of the service, as strictly as this project is checked; nothing when it is right. */
async function typeErrors(file: string, options: { skipLibCheck?: boolean } = {}): Promise<string> {
  const configuration = join(folder, 'tsconfig.json');
  const compilerOptions = { typeRoots: [join(PROJECT_FOLDER, 'node_modules', '@types')], ...options };
  const content = { extends: join(PROJECT_FOLDER, 'tsconfig.json'), compilerOptions, include: [], files: [file] };
  await writeFile(configuration, JSON.stringify(content));
  const compiler = join(PROJECT_FOLDER, 'node_modules', '.bin', 'tsc');
  return run(compiler, ['--project', configuration], { cwd: folder }).then(
    ({ stdout }) => stdout,
    (error: unknown) => failureSchema.parse(error).stdout,
  );
}

const failureSchema = z.object({ code: z.int(), stdout: z.string().min(1) });
