import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { createAuthority, type TestAuthority } from '../../dev/kit/certificates.ts';

/** A folder of the running test, removed with all that is in it when the test is over. */
export async function useFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'reserved-ip-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A certificate authority of the running test. */
export async function useAuthority(name = 'authority'): Promise<TestAuthority> {
  return createAuthority(await useFolder(), name);
}
