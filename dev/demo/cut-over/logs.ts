import { z } from 'zod';
import { CODE_PATHS } from '../../../edge/code-paths.ts';
import { readJsonLines } from '../../kit/json-lines.ts';
import { type ClientLine, lineSchema } from './clients/record.ts';

export const UPSTREAM_NAMES = ['legacy', 'new'] as const;
/** One of the two upstreams. */
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
  const lines = await readJsonLines(forwardedSchema, ...logFiles);
  return lines.map(({ requestId, user, codePath, upstream, time, milliseconds }) => {
    return { requestId, accountId: Number(user), codePath, upstream, beganAt: time - milliseconds };
  });
}

const receivedSchema = z.object({ msg: z.literal('request'), requestId: z.string() });

/** The ids of the requests that an upstream's log tells of, once for each time. */
export async function readReceived(logFile: string): Promise<string[]> {
  return (await readJsonLines(receivedSchema, logFile)).map(({ requestId }) => requestId);
}

/** What the clients have printed up to now. */
export function readClientLines(logFiles: readonly string[]): Promise<ClientLine[]> {
  return readJsonLines(lineSchema, ...logFiles);
}
