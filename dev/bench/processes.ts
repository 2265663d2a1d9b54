import { readdir, readFile } from 'node:fs/promises';
import { sum } from '../kit/statistics.ts';

/** Clock ticks a second in `/proc/<pid>/stat`; fixed at 100 on Linux for user space. */
const TICKS_PER_SECOND = 100;

/** CPU time that a process has used since it started, in milliseconds, its ended children included. */
export async function cpuTimeMs(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  // The name in parentheses may hold spaces; the fields after it are numbered from 3.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = [14, 15, 16, 17].reduce((total, field) => total + Number(fields[field - 3]), 0);
  return (ticks * 1_000) / TICKS_PER_SECOND;
}

/** CPU time by what the processes are, in milliseconds. */
export type ProcessorTime = Record<string, number>;

/** CPU time that processes have used since they started, with the children of each. */
export async function readProcessorTime(processes: ReadonlyMap<string, number[]>): Promise<ProcessorTime> {
  const children = await childrenByParent();
  const used = await Promise.all(
    [...processes].map(async ([name, pids]) => {
      const all = pids.flatMap((pid) => withDescendants(pid, children));
      const each = await Promise.all(all.map((pid) => cpuOf(pid)));
      return [name, sum(each)] as const;
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
