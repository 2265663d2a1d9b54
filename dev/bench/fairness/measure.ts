import { setTimeout as sleep } from 'node:timers/promises';
import type { Summary } from '../../kit/statistics.ts';
import { type Attacker, type FloodCounts, type FloodKind, runFlood } from './floods.ts';
import { addTimes, type Measured, measureVictim, noTimes, summariseTimes, type Victim } from './victim.ts';

/** What is sent, and for how long. */
export interface FloodEffort {
  kind: FloodKind;
  rate: number;
  /** Phases with the flood, and as many without, in turns. */
  cycles: number;
  phaseMs: number;
}

/** What the customer noticed of one flood; times in milliseconds. */
export interface FloodResult {
  kind: FloodKind;
  rate: number;
  quiet: Record<Measured, Summary>;
  flooded: Record<Measured, Summary>;
  counts: FloodCounts;
  /** Requests of the customer that were not served, without and with the flood. */
  failures: { quiet: number; flooded: number };
}

/** Until the flood's process has started and its connections are open. */
const RAMP_MS = 700;
/** After a flood, until what it has left behind is done. */
const CALM_MS = 700;

/** Measures the customer without and with a flood, in turns, so that the load of the machine meets both alike. */
export async function measureFlood(victim: Victim, attacker: Attacker, effort: FloodEffort): Promise<FloodResult> {
  const { kind, rate, cycles, phaseMs } = effort;
  const quiet = noTimes();
  const flooded = noTimes();
  const counts: FloodCounts = { sent: 0, answers: {} };
  for (let cycle = 0; cycle < cycles; cycle++) {
    addTimes(quiet, await measureVictim(victim, phaseMs));
    const flood = runFlood({ kind, attacker, rate, milliseconds: phaseMs + RAMP_MS + CALM_MS });
    await sleep(RAMP_MS);
    addTimes(flooded, await measureVictim(victim, phaseMs));
    const { sent, answers } = await flood;
    counts.sent += sent;
    for (const [status, count] of Object.entries(answers)) {
      counts.answers[status] = (counts.answers[status] ?? 0) + count;
    }
    await sleep(CALM_MS);
  }
  return {
    ...{ kind, rate, counts },
    quiet: summariseTimes(quiet),
    flooded: summariseTimes(flooded),
    failures: { quiet: quiet.failures, flooded: flooded.failures },
  };
}
