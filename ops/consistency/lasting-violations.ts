import { setTimeout as sleep } from 'node:timers/promises';
import type { Violation } from '../../domain/consistency-report.ts';
import { identityOf } from './violation.ts';

/** How often is looked before something counts. */
export interface Looks {
  /** Default 4. */
  looks?: number;
  /** Pause between two looks, in milliseconds; default 1,000. */
  pauseMs?: number;
}

/** What every look sees: what is on its way at one look is settled by the next. A clean look is the last. */
export async function lastingViolations(
  look: () => Promise<Violation[]>,
  { looks = 4, pauseMs = 1_000 }: Looks = {},
): Promise<Violation[]> {
  let standing = await look();
  for (let done = 1; done < looks && standing.length > 0; done++) {
    await sleep(pauseMs);
    const seen = new Set((await look()).map(identityOf));
    standing = standing.filter((violation) => seen.has(identityOf(violation)));
  }
  return standing;
}
