import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

const roleSchema = z.enum(['application', 'server', 'tool']);
const identitySchema = z.object({ pid: z.number().int().positive(), startTime: z.string() });
const recordSchema = z.object({
  owner: identitySchema,
  processes: z.array(identitySchema.extend({ name: z.string(), role: roleSchema, command: z.string() })),
});

/** `application` is stopped before `server`; a `tool` runs to its end by itself. */
export type ProcessRole = z.infer<typeof roleSchema>;

/** What a supervisor has running, as kept in `processes.json`. */
export type ProcessRecord = z.infer<typeof recordSchema>;

/** One line of that record. */
export type RecordedProcess = ProcessRecord['processes'][number];

/** Writes the record of this process's children, replacing the earlier one as a whole. */
export function writeRecord(folder: string, processes: readonly RecordedProcess[]): void {
  const owner = { pid: process.pid, startTime: ownStartTime() };
  const path = recordPath(folder);
  const draft = `${path}.${process.pid}.draft`;
  writeFileSync(draft, `${JSON.stringify({ owner, processes }, undefined, 2)}\n`, { mode: 0o600 });
  renameSync(draft, path);
}

/** Removes the record; there may be none. */
export function removeRecord(folder: string): void {
  rmSync(recordPath(folder), { force: true });
}

/** Reads the record of a folder; undefined when there is none, or none that can be understood. */
export async function readRecord(folder: string): Promise<ProcessRecord | undefined> {
  const text = await readFile(recordPath(folder), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return recordSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function recordPath(folder: string): string {
  return join(folder, 'processes.json');
}

function ownStartTime(): string {
  const stat = readFileSync('/proc/self/stat', 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}
