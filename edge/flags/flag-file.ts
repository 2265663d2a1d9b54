import { open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { ReadableError } from '../../platform/text/readable-error.ts';
import { shown } from '../../platform/text/visible.ts';
import { CODE_PATHS, type CodePath } from '../code-paths.ts';
import { type FlagSetting, flagOf, flagSchema, OFF, settingOf } from './setting.ts';

/** What all flags are set to. */
export type Settings = ReadonlyMap<CodePath, FlagSetting>;

const fileSchema = z.strictObject({ flags: z.partialRecord(z.enum(CODE_PATHS), flagSchema) });

/** One line of the history: who changed what, and when. */
const changeSchema = z.object({
  at: z.iso.datetime(),
  by: z.string(),
  flags: z.record(z.string(), z.object({ before: z.custom<FlagSetting>(), after: z.custom<FlagSetting>() })),
});
export type Change = z.infer<typeof changeSchema>;

/** The flag file is not what is written here, or somebody else is changing it. */
export class FlagFileError extends ReadableError {
  override readonly name = 'FlagFileError';

  constructor(path: string, problem: string) {
    super(shown`${path}: ${problem}`);
  }
}

/** Reads all settings. What is not in the file is off, and so is everything when there is no file. Throws {@link FlagFileError}. */
export async function readSettings(path: string): Promise<Settings> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (isMissing(error)) return '{"flags":{}}';
    throw error;
  });
  const { flags } = parse(path, text);
  return new Map(
    CODE_PATHS.map((codePath) => {
      const flag = flags[codePath];
      return [codePath, flag === undefined ? OFF : settingOf(flag)];
    }),
  );
}

/**
 * Changes settings, for one caller at a time. The history is written before the file: nothing changes without a record.
 * Answers what was changed. Throws {@link FlagFileError}.
 */
export async function changeSettings(
  path: string,
  { by, codePaths, change }: { by: string; codePaths: CodePath[]; change: (before: FlagSetting) => FlagSetting },
): Promise<Change> {
  return withLock(path, async () => {
    const before = await readSettings(path);
    const changed = codePaths.map((codePath) => {
      const earlier = before.get(codePath) ?? OFF;
      return [codePath, { before: earlier, after: change(earlier) }] as const;
    });
    const after = new Map(before);
    for (const [codePath, setting] of changed) after.set(codePath, setting.after);
    const record: Change = { at: new Date().toISOString(), by, flags: Object.fromEntries(changed) };
    await append(historyOf(path), `${JSON.stringify(record)}\n`);
    await replace(path, `${JSON.stringify({ flags: flagsOf(after) }, null, 2)}\n`);
    return record;
  });
}

/** All changes that were made here, oldest first. */
export async function readHistory(path: string): Promise<Change[]> {
  const text = await readFile(historyOf(path), 'utf8').catch((error: unknown) => {
    if (isMissing(error)) return '';
    throw error;
  });
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => changeSchema.parse(JSON.parse(line)));
}

/** Where the history of a flag file is. */
export function historyOf(path: string): string {
  return `${path}.history.jsonl`;
}

function flagsOf(settings: Settings) {
  return Object.fromEntries([...settings].map(([codePath, setting]) => [codePath, flagOf(setting)]));
}

function parse(path: string, text: string): z.infer<typeof fileSchema> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new FlagFileError(path, 'is not JSON');
  }
  const { success, data, error } = fileSchema.safeParse(value);
  if (success) return data;
  throw new FlagFileError(path, `has rules that were not written here; change it by hand.\n${z.prettifyError(error)}`);
}

/** Puts a file in the place of another, so that a reader finds the one or the other. */
async function replace(path: string, text: string): Promise<void> {
  const draft = `${path}.${process.pid}.draft`;
  await write(draft, text, 'w');
  await rename(draft, path);
  const folder = await open(dirname(path));
  await folder.sync().finally(() => folder.close());
}

function append(path: string, text: string): Promise<void> {
  return write(path, text, 'a');
}

async function write(path: string, text: string, flags: 'a' | 'w'): Promise<void> {
  const file = await open(path, flags);
  try {
    await file.write(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function withLock<Result>(path: string, work: () => Promise<Result>): Promise<Result> {
  const lock = `${path}.lock`;
  const file = await open(lock, 'wx').catch((error: unknown) => {
    if (!hasCode(error, 'EEXIST')) throw error;
    throw new FlagFileError(path, `is being changed by somebody else; if nobody is, remove ${lock}`);
  });
  try {
    return await work();
  } finally {
    await file.close();
    await rm(lock, { force: true });
  }
}

function isMissing(error: unknown): boolean {
  return hasCode(error, 'ENOENT');
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
