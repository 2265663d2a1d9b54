import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { isDatabaseUnavailable } from '../db/bounded.ts';

const PAUSE_MS = 200;
/** Left of the attempt's time when it gives up, so that it fails by the database's error and not by its time. */
const MARGIN_MS = 500;

/**
 * Repeats a step of an activity until the database answers, for as long as the attempt may take: the attempts count what
 * a host was given, and a short failure of the database must not use them up.
 */
export async function untilDatabaseAnswers<Result>(step: () => Promise<Result>): Promise<Result> {
  const deadline = Date.now() + Context.current().info.startToCloseTimeoutMs - MARGIN_MS;
  for (;;) {
    try {
      return await step();
    } catch (error) {
      if (!isDatabaseUnavailable(error) || Date.now() + PAUSE_MS > deadline) throw error;
      await sleep(PAUSE_MS);
    }
  }
}
