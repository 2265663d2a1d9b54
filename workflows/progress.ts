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
export interface Trial {
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

interface OpenTrial extends Trial {
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
  readonly #open = new Set<OpenTrial>();
  readonly #uncancelled = new CancellationScope({ cancellable: false });
  #markedStuck = false;

  constructor() {
    // Anybody may send a signal by hand, so what it carries is checked, and does no more than change a line of text.
    setHandler(attemptSignal, (sent: unknown) => {
      if (!isAttempt(sent)) return;
      const trial = [...this.#open].find(({ activity }) => activity?.id === sent.activityId);
      if (!trial) return;
      trial.attempt = sent.attempt;
      this.#watch(trial);
      this.#show();
    });
  }

  /** Runs a step, and shows it for as long as it takes. */
  async during<Result>(trial: Trial, step: () => Promise<Result>): Promise<Result> {
    const open: OpenTrial = { ...trial, since: new Date(), attempt: 1, overdue: false, watch: null };
    this.#open.add(open);
    if (!trial.activity) this.#watch(open);
    this.#show();
    try {
      return await step();
    } finally {
      open.watch?.cancel();
      this.#open.delete(open);
      this.#show();
    }
  }

  /** Starts the clock of a trial that is being retried. A cancellation of the workflow does not stop it. */
  #watch(trial: OpenTrial): void {
    if (trial.watch) return;
    const leftMs = trial.since.getTime() + trial.stuckAfterMs - Date.now();
    trial.watch = new CancellationScope({ cancellable: true, parent: this.#uncancelled });
    trial.watch
      .run(() => sleep(Math.max(leftMs, 1), { summary: `${trial.what}: stuck from then on` }))
      .then(() => {
        trial.overdue = true;
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

function describe({ what, activity, attempt, since, overdue }: OpenTrial): string {
  const of = activity?.attempts ? ` of ${activity.attempts}` : '';
  const attempts = activity ? `, attempt ${attempt}${of}` : '';
  const time = since.toISOString().slice(0, 19).replace('T', ' ');
  return `${overdue ? '**Stuck** ' : ''}${markdownText(what)}${attempts}, since ${time} UTC`;
}
