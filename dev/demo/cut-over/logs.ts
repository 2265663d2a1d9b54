import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { CODE_PATHS } from '../../../edge/code-paths.ts';
import { type ClientLine, lineSchema } from './clients/record.ts';

export const UPSTREAM_NAMES = ['legacy', 'new'] as const;
/** One of the two stacks. */
export type UpstreamName = (typeof UPSTREAM_NAMES)[number];

const forwardedSchema = z.object({
  msg: z.literal('request'),
  /** When it was answered, in milliseconds since the epoch. */
  time: z.number(),
  milliseconds: z.number(),
  requestId: z.string(),
  codePath: z.enum(CODE_PATHS),
  upstream: z.enum(UPSTREAM_NAMES),
  user: z.string(),
});

/** A request that a gateway has passed on. */
export interface Forwarded {
  requestId: string;
  accountId: number;
  codePath: z.infer<typeof forwardedSchema>['codePath'];
  upstream: UpstreamName;
  /** When its way had been chosen, in milliseconds since the epoch. */
  beganAt: number;
}

/** What the gateways have passed on up to now, on the 18 code paths. */
export async function readForwarded(logFiles: readonly string[]): Promise<Forwarded[]> {
  const lines = (await Promise.all(logFiles.map(readLines))).flat();
  return lines.flatMap((line) => {
    const { data } = forwardedSchema.safeParse(line);
    if (!data) return [];
    const { requestId, user, codePath, upstream, time, milliseconds } = data;
    return [{ requestId, accountId: Number(user), codePath, upstream, beganAt: time - milliseconds }];
  });
}

const receivedSchema = z.object({ msg: z.literal('request'), requestId: z.string() });

/** The ids of the requests that a upstream's log tells of, once for each time. */
export async function readReceived(logFile: string): Promise<string[]> {
  return (await readLines(logFile)).flatMap((line) => receivedSchema.safeParse(line).data?.requestId ?? []);
}

/** What the clients have printed up to now. */
export async function readClientLines(logFiles: readonly string[]): Promise<ClientLine[]> {
  return (await Promise.all(logFiles.map(readLines))).flat().flatMap((line) => lineSchema.safeParse(line).data ?? []);
}

/** The JSON lines of a log, without the last one while it is being written. */
async function readLines(file: string): Promise<unknown[]> {
  const whole = (await readFile(file, 'utf8')).split('\n').slice(0, -1);
  return whole.filter((line) => line.startsWith('{')).map((line): unknown => JSON.parse(line));
}
