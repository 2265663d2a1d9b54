import { setTimeout as sleep } from 'node:timers/promises';

const PAUSE_MILLISECONDS = 20;

/** Waits until it is true; rejects with `what` when it is not in time. */
export async function untilTrue(
  what: string,
  look: () => Promise<boolean>,
  withinMilliseconds = 20_000,
): Promise<void> {
  const deadline = performance.now() + withinMilliseconds;
  while (!(await look())) {
    if (performance.now() > deadline) throw new Error(`within ${withinMilliseconds} ms it did not happen that ${what}`);
    await sleep(PAUSE_MILLISECONDS);
  }
}
