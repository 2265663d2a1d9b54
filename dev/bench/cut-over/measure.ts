import { CODE_PATHS, type CodePath, RESOURCE_NAMES } from '../../../edge/code-paths.ts';
import { type Summary, summarise } from '../../kit/statistics.ts';
import type { TimedAnswer } from '../http.ts';
import { isSuccess, runCycle, type Sample } from './cycle.ts';
import type { FaultKind } from './faults.ts';
import { SIDES, type Side, type Upstreams } from './upstreams.ts';

/** What one upstream did on one code path. */
export interface PathResult {
  requests: number;
  errors: number;
  times: Summary;
}

/** One of the runs: both upstreams in turns, under the same conditions. */
export interface Run {
  paths: Map<CodePath, Record<Side, PathResult>>;
  /** Errors by what was made around the request; under `none` those of requests around which nothing was made. */
  errorsByFault: Record<Side, Map<FaultKind | 'none', number>>;
  /** Requests around which a fault was made, by kind. */
  faults: Record<Side, Map<FaultKind, number>>;
}

/** Sends a measured request of an upstream, perhaps with a fault around it. */
export type Around = (
  side: Side,
  send: () => Promise<TimedAnswer>,
) => Promise<{ answer: TimedAnswer; kind: FaultKind | null }>;

/** Leads addresses through the 18 code paths, `rounds` times on each upstream, one request at a time and in turns. */
export async function measure(upstreams: Upstreams, rounds: number, around: Around): Promise<Run> {
  const samples: Record<Side, Sample[]> = { legacy: [], new: [] };
  const run: Run = {
    paths: new Map(),
    errorsByFault: { legacy: new Map(), new: new Map() },
    faults: { legacy: new Map(), new: new Map() },
  };
  const droplets = { legacy: await upstreams.legacy.droplets(), new: await upstreams.new.droplets() };
  for (let round = 0; round < rounds; round++) {
    for (const side of round % 2 === 0 ? SIDES : SIDES.toReversed()) {
      for (const resourceName of RESOURCE_NAMES) {
        const upstream = upstreams[side];
        const cycle = await runCycle(resourceName, {
          customer: upstream.customer,
          region: upstream.region,
          droplets: droplets[side],
          async around(_codePath, send) {
            const { answer, kind } = await around(side, send);
            if (kind !== null) count(run.faults[side], kind);
            if (!isSuccess(answer.status)) count(run.errorsByFault[side], kind ?? 'none');
            return answer;
          },
        });
        samples[side].push(...cycle.samples);
        if (!cycle.intact) droplets[side] = await upstream.droplets();
      }
    }
  }
  for (const codePath of CODE_PATHS) {
    const of = (side: Side) => resultOf(samples[side].filter((sample) => sample.codePath === codePath));
    run.paths.set(codePath, { legacy: of('legacy'), new: of('new') });
  }
  return run;
}

/** Nothing is made around a request. */
export const undisturbed: Around = async (_side, send) => ({ answer: await send(), kind: null });

function resultOf(samples: Sample[]): PathResult {
  return {
    requests: samples.length,
    errors: samples.filter(({ status }) => !isSuccess(status)).length,
    times: summarise(samples.map(({ ms }) => ms)),
  };
}

function count<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
