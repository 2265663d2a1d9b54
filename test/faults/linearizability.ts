import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import type { HistoryOperation } from './histories/operation.ts';

const reportSchema = z.object({
  addresses: z.int(),
  operations: z.int(),
  failures: z.array(
    z.object({
      address: z.string(),
      result: z.enum(['Illegal', 'Unknown']),
      unexplained: z.string(),
      picture: z.string(),
    }),
  ),
});
/** What the checker found; a history that is not linearizable, or took too long to check, is a failure. */
export type LinearizabilityReport = z.infer<typeof reportSchema>;

/** Checks the histories of all addresses and droplets; keeps them in a folder, and draws those there that cannot be explained. */
export async function checkLinearizability(
  checker: string,
  operations: HistoryOperation[],
  folder: string,
): Promise<LinearizabilityReport> {
  const history = operations.map((operation) => `${JSON.stringify(operation)}\n`).join('');
  await writeFile(join(folder, 'history.jsonl'), history);
  const child = spawn(checker, ['-pictures', folder], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  child.stdin.end(history);
  const output = await text(child.stdout);
  const [code] = await exited;
  if (code !== 0) throw new Error(`the checker ended with code ${code}`);
  return reportSchema.parse(JSON.parse(output));
}
