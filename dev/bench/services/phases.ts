import type { Client } from '@temporalio/client';
import type { Call } from './callers.ts';

/** Where the time of one assign by the SDK goes: the lengths of its parts one after the other, in milliseconds. */
export interface Phases {
  /** From the call until Temporal has written the start. */
  started: number;
  /** Until a worker has the first workflow task. */
  taskTaken: number;
  /** Until that task is done: the local activity admits in MySQL. */
  admitted: number;
  /** Until the caller has the decision; runs beside the parts below. */
  decisionKnown: number;
  /** From the end of the first task until the host has acknowledged. */
  hostAnswered: number;
  /** Until a worker has the second workflow task. */
  secondTaskTaken: number;
  /** Until the workflow has closed: settled in MySQL, billed in Kafka. */
  closed: number;
  /** Until the caller knows that. */
  endKnown: number;
}

interface EventTime {
  seconds?: { toString(): string } | null;
  nanos?: number | null;
}

/** Reads the phases of a call from the times in its history; `begin` is when it was made, in milliseconds since 1970. */
export async function phasesOf(temporal: Client, workflowId: string, begin: number, call: Call): Promise<Phases> {
  const { events } = await temporal.workflow.getHandle(workflowId).fetchHistory();
  const all = events ?? [];
  const at = (time: EventTime | null | undefined) =>
    time ? Number(time.seconds ?? 0) * 1_000 + (time.nanos ?? 0) / 1_000_000 : Number.NaN;
  const timesOf = (is: (event: (typeof all)[number]) => unknown) =>
    all.filter(is).map(({ eventTime }) => at(eventTime));
  const [started = Number.NaN] = timesOf((event) => event.workflowExecutionStartedEventAttributes);
  const [firstTaken = Number.NaN, secondTaken = Number.NaN] = timesOf(
    (event) => event.workflowTaskStartedEventAttributes,
  );
  const [firstDone = Number.NaN] = timesOf((event) => event.workflowTaskCompletedEventAttributes);
  const [acknowledged = Number.NaN] = timesOf((event) => event.activityTaskCompletedEventAttributes);
  const [closed = Number.NaN] = timesOf((event) => event.workflowExecutionCompletedEventAttributes);
  return {
    started: started - begin,
    taskTaken: firstTaken - started,
    admitted: firstDone - firstTaken,
    decisionKnown: begin + call.accepted - firstDone,
    hostAnswered: acknowledged - firstDone,
    secondTaskTaken: secondTaken - acknowledged,
    closed: closed - secondTaken,
    endKnown: begin + call.known - closed,
  };
}
