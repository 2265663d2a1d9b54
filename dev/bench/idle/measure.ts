import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../../../db/database.ts';
import { printError } from '../../../platform/text/print.ts';
import { mean } from '../../kit/statistics.ts';
import { countQueries } from '../costs.ts';
import { cpuTimeMs } from '../processes.ts';
import { IdleAgents } from './agents.ts';
import type { IdleEnvironment } from './environment.ts';

/** How much is measured. */
export interface IdleEffort {
  /** How many agents idle at a time. */
  counts: number[];
  /** Interleaved rounds of all counts. */
  rounds: number;
  windowMs: number;
  /** How long after the last agent has started a window begins. */
  settleMs: number;
}

/** What one number of idle agents costs, each a second, averaged over the rounds. */
export interface IdleCosts {
  agents: number;
  cpuMs: number;
  mysqlQueries: number;
  requests: number;
  /** The CPU of each round by itself, to show how far they agree. */
  cpuMsOfRounds: number[];
}

const SPREAD_MS = 10_000;

/** Measures every number of agents in each round, over equally long windows. */
export async function measureIdle(environment: IdleEnvironment, effort: IdleEffort): Promise<IdleCosts[]> {
  const db = environment.running.openDatabase(1);
  const windows = new Map<number, Window[]>(effort.counts.map((count) => [count, []]));
  for (let round = 1; round <= effort.rounds; round++) {
    for (const [count, measured] of windows) {
      const window = await measureWindow(environment, db, count, effort);
      measured.push(window);
      printError(`round ${round}, ${count} agents: ${JSON.stringify(window)}`);
    }
  }
  return [...windows].map(([agents, measured]) => average(agents, measured));
}

interface Window {
  cpuMs: number;
  mysqlQueries: number;
  requests: number;
}

async function measureWindow(
  { running, hosts }: IdleEnvironment,
  db: Database,
  count: number,
  { windowMs, settleMs }: IdleEffort,
): Promise<Window> {
  const agents = IdleAgents.start(running.apiUrl, hosts.slice(0, count), SPREAD_MS);
  async function read() {
    const [cpuMs, mysqlQueries, requests] = await Promise.all([
      cpuTimeMs(running.supervisor.find('api').pid),
      countQueries(db),
      agents.requests(),
    ]);
    return { at: performance.now(), cpuMs, mysqlQueries, requests };
  }
  try {
    await sleep(SPREAD_MS + settleMs);
    const before = await read();
    await sleep(windowMs);
    const after = await read();
    const seconds = (after.at - before.at) / 1_000;
    return {
      cpuMs: (after.cpuMs - before.cpuMs) / seconds,
      // The second reading counts itself.
      mysqlQueries: (after.mysqlQueries - before.mysqlQueries - 1) / seconds,
      requests: (after.requests - before.requests) / seconds,
    };
  } finally {
    await agents.stop();
  }
}

function average(agents: number, windows: Window[]): IdleCosts {
  return {
    agents,
    cpuMs: mean(windows.map(({ cpuMs }) => cpuMs)),
    mysqlQueries: mean(windows.map(({ mysqlQueries }) => mysqlQueries)),
    requests: mean(windows.map(({ requests }) => requests)),
    cpuMsOfRounds: windows.map(({ cpuMs }) => cpuMs),
  };
}
