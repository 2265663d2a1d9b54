import { threadCpuUsage } from 'node:process';
import { type Attack, textOf } from './attacks.ts';

/** What a text of 16 kB may cost, in milliseconds of processor time. */
export const MOST_MS = 5;
const LONGEST = 16_384;
/** In small steps at first, so that an expression of exponential time is found while it still comes to an end. */
const LENGTHS = [...Array.from({ length: 16 }, (_, step) => Math.round(16 * 1.25 ** step)), 2_048, LONGEST];
const TRIES = 6;

/** An attack that took too long. */
export interface Slow {
  attack: string;
  length: number;
  milliseconds: number;
}

/** Finds the first attack on which `read` takes longer than it may. */
export function findSlow(read: (text: string) => void, attacks: readonly Attack[]): Slow | null {
  for (const attack of attacks) {
    for (const length of LENGTHS) {
      const text = textOf(attack, length);
      const milliseconds = cost(() => read(text));
      if (milliseconds > MOST_MS) return { attack: JSON.stringify(attack), length, milliseconds };
    }
  }
  return null;
}

/**
 * Milliseconds of this thread's processor time, which other processes do not raise. Of several tries the least, since the
 * first ones compile; more than one only when it is needed.
 */
export function cost(work: () => void): number {
  let least = Number.POSITIVE_INFINITY;
  for (let time = 0; time < TRIES && least > MOST_MS; time++) {
    const before = threadCpuUsage();
    work();
    const { user, system } = threadCpuUsage(before);
    least = Math.min(least, (user + system) / 1_000);
  }
  return least;
}
