import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from './errors.ts';
import { describeExit, failureOf, type RunningProcess } from './processes.ts';

const PAUSE_MS = 100;

/**
 * Repeats `check` until it resolves.
 *
 * @throws {ProcessFailedError} when the process ends meanwhile, or when `timeoutMs` pass.
 */
export async function untilReady(
  process: RunningProcess,
  timeoutMs: number,
  check: () => Promise<void>,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  const exited = process.exited.then((exit) => ({ exit }));
  while (true) {
    const outcome = await Promise.race([exited, attempt(check, deadline - performance.now())]);
    if (outcome === 'ready') return;
    if ('exit' in outcome) throw await failureOf(process, `${describeExit(outcome.exit)} before it was ready`);
    if (performance.now() >= deadline) {
      const seconds = Math.round(timeoutMs / 1000);
      throw await failureOf(process, `did not answer within ${seconds} s (${outcome.problem})`);
    }
    await sleep(PAUSE_MS);
  }
}

async function attempt(check: () => Promise<void>, timeoutMs: number): Promise<'ready' | { problem: string }> {
  const timer = new AbortController();
  const late = sleep(Math.max(timeoutMs, 1), { problem: 'no answer' }, { signal: timer.signal });
  try {
    return await Promise.race([check().then((): 'ready' => 'ready'), late]);
  } catch (error) {
    return { problem: messageOf(error) };
  } finally {
    timer.abort();
    late.catch(() => undefined);
  }
}
