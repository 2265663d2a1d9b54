import { z } from 'zod';
import type { UpstreamName } from './logs.ts';

/** How many requests went to each upstream. */
export type Split = Record<UpstreamName, number>;

const SAMPLE = /^edge_requests_total\{([^}\n]*)\} (\d+)$/gm;
const UPSTREAM = /(?:^|,)upstream="(legacy|new)"/;

/** What the gateways have counted since they were started, by their Prometheus metrics. */
export async function readSplit(metricsUrls: readonly string[]): Promise<Split> {
  const split: Split = { legacy: 0, new: 0 };
  for (const url of metricsUrls) {
    const text = await (await fetch(url, { signal: AbortSignal.timeout(5_000) })).text();
    for (const [, labels = '', count] of text.matchAll(SAMPLE)) {
      const [, upstream] = UPSTREAM.exec(labels) ?? [];
      if (upstream !== undefined) split[stackSchema.parse(upstream)] += Number(count);
    }
  }
  return split;
}

const stackSchema = z.enum(['legacy', 'new']);

/** What was counted between two looks. */
export function splitBetween(before: Split, after: Split): Split {
  return { legacy: after.legacy - before.legacy, new: after.new - before.new };
}
