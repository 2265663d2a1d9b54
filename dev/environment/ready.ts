import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from './errors.ts';
import { describeExit, failureOf, type RunningProcess } from './processes.ts';

const PAUSE_MILLISECONDS = 100;

/**
 * Repeats `check` until it resolves.
 *
 * @throws {ProcessFailedError} when the process ends meanwhile, or when `timeoutMilliseconds` pass.
 */
export async function untilReady(
  process: RunningProcess,
  timeoutMilliseconds: number,
  check: () => Promise<void>,
): Promise<void> {
  const deadline = performance.now() + timeoutMilliseconds;
  const exited = process.exited.then((exit) => ({ exit }));
  while (true) {
    const outcome = await Promise.race([exited, attempt(check, deadline - performance.now())]);
    if (outcome === 'ready') return;
    if ('exit' in outcome) throw await failureOf(process, `${describeExit(outcome.exit)} before it was ready`);
    if (performance.now() >= deadline) {
      const seconds = Math.round(timeoutMilliseconds / 1000);
      throw await failureOf(process, `did not answer within ${seconds} s (${outcome.problem})`);
    }
    await sleep(PAUSE_MILLISECONDS);
  }
}

async function attempt(
  check: () => Promise<void>,
  timeoutMilliseconds: number,
): Promise<'ready' | { problem: string }> {
  const timer = new AbortController();
  const late = sleep(Math.max(timeoutMilliseconds, 1), { problem: 'no answer' }, { signal: timer.signal });
  try {
    return await Promise.race([check().then((): 'ready' => 'ready'), late]);
  } catch (error) {
    return { problem: messageOf(error) };
  } finally {
    timer.abort();
    late.catch(() => undefined);
  }
}
