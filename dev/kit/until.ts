import { setTimeout as sleep } from 'node:timers/promises';

const PAUSE_MS = 10;

/** Looks every second until there is nothing wrong any more; answers what still is when `withinMs` have passed. */
export async function inTheEnd(
  look: () => Promise<string[]>,
  withinMs: number,
  signal?: AbortSignal,
): Promise<string[]> {
  for (const deadline = Date.now() + withinMs; ; ) {
    signal?.throwIfAborted();
    const problems = await look();
    if (problems.length === 0 || Date.now() > deadline) return problems;
    await sleep(1_000, null, signal && { signal });
  }
}

/** Whether something succeeds: for {@link until}. */
export function succeeds(trying: Promise<unknown>): Promise<boolean> {
  return trying.then(() => true).catch(() => false);
}

/**
 * Looks again and again until there is something to see, and answers it. Fails with `what` when `withinMs` have passed,
 * so that the message tells what did not happen.
 */
export async function until<Seen>(
  what: string,
  look: () => Promise<Seen | null | undefined | false>,
  withinMs = 20_000,
): Promise<Seen> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const seen = await look();
    if (seen) return seen;
    if (Date.now() > deadline) throw new Error(`within ${withinMs} ms it did not happen that ${what}`);
    await sleep(PAUSE_MS);
  }
}
