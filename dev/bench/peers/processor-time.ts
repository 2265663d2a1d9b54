import { readdir, readFile } from 'node:fs/promises';
import { cpuTimeMs } from '../processes.ts';
import type { Peer } from './peer.ts';

/** CPU time by what the processes are, in milliseconds. */
export type ProcessorTime = Record<string, number>;

/** CPU time that a peer's processes have used since they started, with the children of each. */
export async function readProcessorTime(peer: Peer): Promise<ProcessorTime> {
  const children = await childrenByParent();
  const used = await Promise.all(
    [...peer.processes()].map(async ([name, pids]) => {
      const all = pids.flatMap((pid) => withDescendants(pid, children));
      const each = await Promise.all(all.map((pid) => cpuOf(pid)));
      return [name, each.reduce((sum, ms) => sum + ms, 0)] as const;
    }),
  );
  return Object.fromEntries(used);
}

/** What was used between two readings, divided by the operations meanwhile. */
export function usedForEach(before: ProcessorTime, after: ProcessorTime, operations: number): ProcessorTime {
  return Object.fromEntries(
    Object.entries(after).map(([name, used]) => [name, (used - (before[name] ?? 0)) / operations]),
  );
}

/** PostgreSQL has a process for each connection. */
async function childrenByParent(): Promise<Map<number, number[]>> {
  const children = new Map<number, number[]>();
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const stat = await readFile(`/proc/${entry}/stat`, 'utf8').catch(() => '');
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    if (parent > 0) children.set(parent, [...(children.get(parent) ?? []), Number(entry)]);
  }
  return children;
}

function withDescendants(pid: number, children: ReadonlyMap<number, number[]>): number[] {
  return [pid, ...(children.get(pid) ?? []).flatMap((child) => withDescendants(child, children))];
}

/** A process that has ended meanwhile is in its parent's account. */
function cpuOf(pid: number): Promise<number> {
  return cpuTimeMs(pid).catch(() => 0);
}
