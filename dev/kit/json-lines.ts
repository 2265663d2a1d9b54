import { readFile } from 'node:fs/promises';
import type { z } from 'zod';
import { parseJson } from './http.ts';

/** The lines of files that are JSON of this shape, in their order; none of a file that is not there yet. */
export async function readJsonLines<Line>(schema: z.ZodType<Line>, ...files: readonly string[]): Promise<Line[]> {
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8').catch(() => '')));
  const lines = texts.flatMap((text) => text.split('\n'));
  return lines.flatMap((line) => (line.startsWith('{') ? (schema.safeParse(parseJson(line)).data ?? []) : []));
}
