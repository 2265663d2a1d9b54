import { type Summary, summarise } from '../../kit/statistics.ts';
import type { Joined } from './join.ts';
import { type Forwarded, UPSTREAM_NAMES, type UpstreamName } from './logs.ts';
import type { Split } from './metrics.ts';
import type { Moved } from './moved.ts';

/** Within this long after a flip everybody must go the new way. */
export const TAKEN_OVER_WITHIN_MS = 1_000;

export const KINDS = ['reads', 'changes'] as const;
export type Kind = (typeof KINDS)[number];

/** What was set, when, and for how long it held; times in milliseconds since the epoch. */
export interface HeldStep {
  name: string;
  /** The command that set it. */
  command: string;
  from: number;
  to: number;
  movedBefore: Moved;
  moved: Moved;
  /** Whether it moved one of the customers. */
  movesSomebody: boolean;
  /** What the gateways counted from a second after the flip on. */
  split: Split;
}

/** What a step was like. */
export interface StepResult {
  name: string;
  command: string;
  split: Split;
  requests: number;
  failed: number;
  /** As clients saw them, in milliseconds; null where there was none. */
  latencies: Record<Kind, Record<UpstreamName, Summary | null>>;
  /** From the flip to the first request of somebody whom it moved that went the new way; null when it moved nobody. */
  newWayAfterMs: number | null;
  /** From the flip to the last request that still went the old way; null when there was none. */
  oldWayUntilMs: number | null;
  /** What went otherwise than it was set. */
  problems: string[];
}

/** Measures a step by what clients and gateways have noted. A request belongs to the step in which it was answered. */
export function measureStep(step: HeldStep, joined: readonly Joined[], forwarded: readonly Forwarded[]): StepResult {
  const { name, command, from, to, split } = step;
  const own = joined.filter(({ request }) => {
    const endedAt = request.beganAt + request.ms;
    return endedAt >= from && endedAt < to;
  });
  const summaryOf = (kind: Kind, upstream: UpstreamName) => {
    const chosen = own.filter((one) => one.forwarded.upstream === upstream && kindOf(one) === kind);
    return chosen.length === 0 ? null : summarise(chosen.map(({ request }) => request.ms));
  };
  const summariesOf = (kind: Kind) => ({ legacy: summaryOf(kind, 'legacy'), new: summaryOf(kind, 'new') });
  return {
    name,
    command,
    split,
    requests: own.length,
    failed: own.filter(({ request }) => request.problem !== null).length,
    latencies: { reads: summariesOf('reads'), changes: summariesOf('changes') },
    ...takeover(step, forwarded),
  };
}

function takeover({ name, from, to, movedBefore, moved, movesSomebody }: HeldStep, forwarded: readonly Forwarded[]) {
  const begun = forwarded.filter(({ beganAt }) => beganAt >= from && beganAt < to);
  const isRight = ({ accountId, upstream }: Forwarded) => upstream === (moved(accountId) ? 'new' : 'legacy');
  const concerned = begun.filter(({ accountId }) => moved(accountId) !== movedBefore(accountId));
  const after = ({ beganAt }: Forwarded) => beganAt - from;
  const right = concerned.filter(isRight).map(after);
  const wrong = begun.filter((one) => !isRight(one)).map(after);
  const newWayAfterMs = right.length === 0 ? null : Math.min(...right);
  const oldWayUntilMs = wrong.length === 0 ? null : Math.max(...wrong);
  const problems: string[] = [];
  if (movesSomebody && newWayAfterMs === null)
    problems.push(`${name}: nobody whom it moved was seen to go the new way`);
  if (newWayAfterMs !== null && newWayAfterMs >= TAKEN_OVER_WITHIN_MS) {
    problems.push(`${name}: the first request went the new way ${newWayAfterMs.toFixed(0)} ms after the flip`);
  }
  if (oldWayUntilMs !== null && oldWayUntilMs >= TAKEN_OVER_WITHIN_MS) {
    problems.push(`${name}: a request went the old way ${oldWayUntilMs.toFixed(0)} ms after the flip`);
  }
  return { newWayAfterMs, oldWayUntilMs, problems };
}

function kindOf({ request: { codePath } }: Joined): Kind {
  return /\.(list|show|list_actions|show_action)$/.test(codePath) ? 'reads' : 'changes';
}

/** How many requests of a split went to the new upstream, from 0 to 1; null when there was none. */
export function shareOnNew(split: Split): number | null {
  const all = UPSTREAM_NAMES.reduce((sum, upstream) => sum + split[upstream], 0);
  return all === 0 ? null : split.new / all;
}
