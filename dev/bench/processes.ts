import { readFile } from 'node:fs/promises';

/** Clock ticks a second in `/proc/<pid>/stat`; fixed at 100 on Linux for user space. */
const TICKS_PER_SECOND = 100;

/** CPU time that a process has used since it started, in milliseconds, its ended children included. */
export async function cpuTimeMs(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  // The name in parentheses may hold spaces; the fields after it are numbered from 3.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = [14, 15, 16, 17].reduce((sum, field) => sum + Number(fields[field - 3]), 0);
  return (ticks * 1_000) / TICKS_PER_SECOND;
}
