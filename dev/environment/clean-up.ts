import { setTimeout as sleep } from 'node:timers/promises';
import { type ProcessRecord, type RecordedProcess, readRecord, removeRecord } from './process-record.ts';
import { isAlive, type ProcessIdentity } from './process-table.ts';
import { signalGroup } from './processes.ts';

const OWNER_TIMEOUT_MS = 45_000;
const PROCESS_TIMEOUT_MS = 15_000;
const POLL_MS = 100;

/**
 * Stops what the record of a folder lists, and removes the record. A start that is still alive is asked to do it
 * itself. Processes are recognised by pid and start time, so one that got the pid of a former child is left alone.
 */
export async function stopRecorded(folder: string, report: (line: string) => void): Promise<void> {
  const record = await readRecord(folder);
  if (record === undefined) return;
  if (await isAlive(record.owner)) {
    report(`asking the running start (process ${record.owner.pid}) to stop what it started`);
    process.kill(record.owner.pid, 'SIGTERM');
    await untilGone([record.owner], OWNER_TIMEOUT_MS);
  }
  await stopAll(await alive(record), report);
  removeRecord(folder);
}

/** Those of a record that are alive. */
export async function alive(record: ProcessRecord): Promise<RecordedProcess[]> {
  const checked = await Promise.all(record.processes.map(async (entry) => ((await isAlive(entry)) ? [entry] : [])));
  return checked.flat();
}

async function stopAll(processes: readonly RecordedProcess[], report: (line: string) => void): Promise<void> {
  // The application first: it finishes what it is doing with the help of the servers.
  for (const isServer of [false, true]) {
    const chosen = processes.filter((entry) => (entry.role === 'server') === isServer);
    for (const entry of chosen) signalGroup(entry.pid, 'SIGTERM');
    const left = await untilGone(chosen, PROCESS_TIMEOUT_MS);
    for (const entry of left) signalGroup(entry.pid, 'SIGKILL');
    await untilGone(left, PROCESS_TIMEOUT_MS);
    for (const entry of chosen) {
      report(`stopped ${entry.name} (process ${entry.pid}${left.includes(entry) ? ', which had to be killed' : ''})`);
    }
  }
}

/** Waits until none is alive, or the time is over; gives those that are. */
async function untilGone<T extends ProcessIdentity>(processes: readonly T[], timeoutMs: number): Promise<T[]> {
  const deadline = performance.now() + timeoutMs;
  while (true) {
    const checked = await Promise.all(processes.map(async (entry) => ((await isAlive(entry)) ? [entry] : [])));
    const left = checked.flat();
    if (left.length === 0 || performance.now() > deadline) return left;
    await sleep(POLL_MS);
  }
}
