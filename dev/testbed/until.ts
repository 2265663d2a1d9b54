import { setTimeout as sleep } from 'node:timers/promises';

const PAUSE_MS = 20;

/** Waits until it is true; rejects with `what` when it is not in time. */
export async function untilTrue(what: string, look: () => Promise<boolean>, withinMs = 20_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await look())) {
    if (performance.now() > deadline) throw new Error(`within ${withinMs} ms it did not happen that ${what}`);
    await sleep(PAUSE_MS);
  }
}
