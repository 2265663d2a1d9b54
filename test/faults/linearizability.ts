import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import type { HistoryOperation } from './history.ts';

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

/** Checks the histories of all addresses; draws those that cannot be explained into a folder. */
export async function checkLinearizability(
  checker: string,
  operations: HistoryOperation[],
  pictures: string,
): Promise<LinearizabilityReport> {
  const child = spawn(checker, ['-pictures', pictures], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  child.stdin.end(operations.map((operation) => `${JSON.stringify(operation)}\n`).join(''));
  const output = await text(child.stdout);
  const [code] = await exited;
  if (code !== 0) throw new Error(`the checker ended with code ${code}`);
  return reportSchema.parse(JSON.parse(output));
}
