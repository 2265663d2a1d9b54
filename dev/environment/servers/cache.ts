import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { EnvironmentError } from '../errors.ts';
import type { Report } from './options.ts';

const PROGRESS_INTERVAL_MS = 10_000;

/** The folder outside the repository that keeps downloads and builds between clones. */
export function cacheFolder(environment: NodeJS.ProcessEnv): string {
  const base = environment.RESERVED_IP_CACHE || environment.XDG_CACHE_HOME || join(homedir(), '.cache');
  return join(base, 'reserved-ip');
}

/** Whether a file or folder exists. */
export async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

/**
 * Makes a folder of the cache unless it is there with the file that proves it. It is built under a temporary name and
 * renamed when complete, so that one that exists is always whole and two builders at once do no harm.
 */
export async function buildIntoCache(
  target: string,
  provingFile: string,
  build: (draft: string) => Promise<void>,
): Promise<void> {
  if (await exists(join(target, provingFile))) return;
  const draft = `${target}.draft-${process.pid}`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { recursive: true });
  try {
    await build(draft);
    if (!(await exists(join(draft, provingFile))))
      throw new EnvironmentError(`${provingFile} was not made for ${target}.`);
    // Another builder may have been faster meanwhile, and its result is as good.
    if (await exists(join(target, provingFile))) return;
    await rm(target, { recursive: true, force: true });
    await rename(draft, target);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** Runs a slow task, saying first what it is in `details`, and every few seconds that it is still at it. */
export async function withProgress<T>(
  report: Report,
  label: string,
  details: string,
  task: () => Promise<T>,
): Promise<T> {
  const started = performance.now();
  const seconds = () => Math.round((performance.now() - started) / 1000);
  report(`${label} (${details}) …`);
  const timer = setInterval(() => report(`${label} … ${seconds()} s`), PROGRESS_INTERVAL_MS);
  try {
    const result = await task();
    report(`${label}: done in ${seconds()} s`);
    return result;
  } finally {
    clearInterval(timer);
  }
}
