import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { z } from 'zod';
import { PROJECT_FOLDER } from '../../environment/paths.ts';

/*
 * The floods: what each of them sends, how fast, and for how long. Each runs in a process of its own.
 */

/** What a flood sends; those with `unlimited` by a token whose limits are out of the way. */
export const FLOODS = [
  'no-token',
  'open-paths',
  'wrong-tokens',
  'reads',
  'reads-unlimited',
  'changes',
  'changes-unlimited',
  'acknowledgments',
  'long-polls',
  'slow-connections',
  'huge-paths',
  'huge-headers',
] as const;
export type FloodKind = (typeof FLOODS)[number];

/** Whom a flood plays; every one of them may be hostile, and none is the customer who is measured. */
export const attackerSchema = z.object({
  apiUrl: z.url(),
  /** A token with the usual limits. */
  token: z.string(),
  /** A token whose limits are out of the way. */
  unlimitedToken: z.string(),
  /** The token of a host. */
  hostToken: z.string(),
  /** Addresses of the attacker's account, and a droplet of it in their region. */
  addresses: z.array(z.string()),
  dropletId: z.int(),
  region: z.string(),
  /** Events of the host that have an answer, which are acknowledged over and over. */
  acknowledgments: z.array(z.object({ sequence: z.int(), generation: z.int() })),
});
export type Attacker = z.infer<typeof attackerSchema>;

/** One run of a flood. */
export const floodSchema = z.object({
  kind: z.enum(FLOODS),
  attacker: attackerSchema,
  /** Requests a second, sent whether or not those before them were answered; for connections, how many are held open. */
  rate: z.number().positive(),
  milliseconds: z.int().positive(),
});
export type Flood = z.infer<typeof floodSchema>;

/**
 * How much of each flood is sent: what one or a few machines send without effort, and far above what a caller is allowed.
 * On a machine that the servers share with the floods more would measure the floods' own need of CPU.
 */
export const RATES: Record<FloodKind, number> = {
  'no-token': 400,
  'open-paths': 400,
  'wrong-tokens': 400,
  reads: 200,
  'reads-unlimited': 200,
  changes: 60,
  'changes-unlimited': 60,
  acknowledgments: 20,
  'long-polls': 400,
  'slow-connections': 1_000,
  'huge-paths': 200,
  'huge-headers': 200,
};

const countsSchema = z.object({
  sent: z.int(),
  /** How many answers there were, by status; 0 for a connection that was closed without one. */
  answers: z.record(z.string(), z.int()),
});
/** The outcome of a flood. */
export type FloodCounts = z.infer<typeof countsSchema>;

/**
 * Runs a flood in a process of its own, with the lowest priority, and waits for its end. So what a customer notices is
 * what the API does for the flood, not the CPU that sending it takes. Throws when the process fails.
 */
export async function runFlood(flood: Flood): Promise<FloodCounts> {
  const script = join(PROJECT_FOLDER, 'dev/bench/fairness/flood-process.ts');
  const child = spawn('nice', ['-n', '19', process.execPath, script], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(JSON.stringify(flood));
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), flood.milliseconds + 20_000);
  await once(child, 'close');
  clearTimeout(timer);
  if (child.exitCode !== 0) throw new Error(`the flood ${flood.kind} has failed`);
  return countsSchema.parse(JSON.parse(text));
}
