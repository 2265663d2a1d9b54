import {
  CancellationScope,
  defineSignal,
  setCurrentDetails,
  setHandler,
  sleep,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import { ATTEMPT_SIGNAL, type Attempt, isAttempt } from '../domain/attempt.ts';
import { STUCK } from '../domain/search-attributes.ts';
import { markdownText } from '../platform/text/visible.ts';

const attemptSignal = defineSignal<[Attempt]>(ATTEMPT_SIGNAL);

/** One thing that a workflow tries. */
export interface Step {
  /** What it is doing, as the middle of a sentence: "waiting for hv-3 to attach 203.0.113.9". */
  what: string;
  /** How long it may be retried before the workflow is stuck, in milliseconds. */
  stuckAfterMs: number;
  /**
   * The activity that tells its attempts, and how many it has at most (null is no limit). Without it the step is taken
   * to be retrying from its start.
   */
  activity?: { id: string; attempts: number | null };
}

interface OpenStep extends Step {
  since: Date;
  attempt: number;
  overdue: boolean;
  watch: CancellationScope | null;
}

/**
 * What operators see of a running workflow: its current details say what it is trying, and an attribute marks it as
 * stuck while something has been retried for longer than its threshold. A step that succeeds at once leaves no trace in
 * the history.
 */
export class Progress {
  readonly #open = new Set<OpenStep>();
  readonly #uncancelled = new CancellationScope({ cancellable: false });
  #markedStuck = false;

  constructor() {
    // Anybody may send a signal by hand, so what it carries is checked, and does no more than change a line of text.
    setHandler(attemptSignal, (sent: unknown) => {
      if (!isAttempt(sent)) return;
      const step = [...this.#open].find(({ activity }) => activity?.id === sent.activityId);
      if (!step) return;
      step.attempt = sent.attempt;
      this.#watch(step);
      this.#show();
    });
  }

  /** Runs a step, and shows it for as long as it takes. */
  async during<Result>(step: Step, work: () => Promise<Result>): Promise<Result> {
    const open: OpenStep = { ...step, since: new Date(), attempt: 1, overdue: false, watch: null };
    this.#open.add(open);
    if (!step.activity) this.#watch(open);
    this.#show();
    try {
      return await work();
    } finally {
      open.watch?.cancel();
      this.#open.delete(open);
      this.#show();
    }
  }

  /** Starts the clock of a step that is being retried. A cancellation of the workflow does not stop it. */
  #watch(step: OpenStep): void {
    if (step.watch) return;
    const leftMs = step.since.getTime() + step.stuckAfterMs - Date.now();
    step.watch = new CancellationScope({ cancellable: true, parent: this.#uncancelled });
    step.watch
      .run(() => sleep(Math.max(leftMs, 1), { summary: `${step.what}: stuck from then on` }))
      .then(() => {
        step.overdue = true;
        this.#show();
      })
      .catch(() => undefined);
  }

  #show(): void {
    const stuck = [...this.#open].some(({ overdue }) => overdue);
    if (stuck !== this.#markedStuck) upsertSearchAttributes([{ key: STUCK, value: stuck }]);
    this.#markedStuck = stuck;
    setCurrentDetails([...this.#open].map(describe).join('\n\n'));
  }
}

function describe({ what, activity, attempt, since, overdue }: OpenStep): string {
  const of = activity?.attempts ? ` of ${activity.attempts}` : '';
  const attempts = activity ? `, attempt ${attempt}${of}` : '';
  const time = since.toISOString().slice(0, 19).replace('T', ' ');
  return `${overdue ? '**Stuck** ' : ''}${markdownText(what)}${attempts}, since ${time} UTC`;
}
