import type { Logger } from 'pino';
import type { AcknowledgmentSink } from '../../../client/acknowledgment-sink.ts';
import type { Database } from '../../../db/database.ts';
import { type AnsweredEvent, recordAcknowledgments } from '../../../db/host-events.ts';
import type { Acknowledgment } from '../../../domain/host-event.ts';

/** What became of one acknowledgment; `retry`: recorded, but the operation has not heard of it. */
export interface AcknowledgmentResult {
  sequence: number;
  status: 'recorded' | 'repeated' | 'unknown' | 'retry';
}

/** Most sequences of a batch that are named in one line of the log. */
const MOST_LOGGED = 10;

interface Dependencies {
  db: Database;
  acknowledgments: AcknowledgmentSink;
}

/**
 * Records a batch and tells the operations that wait. They are told of repeated acknowledgments too, and always the
 * outcome that stands: the process that recorded the first may have died before it told anyone. An answer to an event
 * whose address has gone on to another generation is recorded and told to nobody: what it was for has been undone.
 */
export async function acknowledge(
  { db, acknowledgments: sink }: Dependencies,
  logger: Logger,
  host: { id: number; name: string },
  acknowledgments: Acknowledgment[],
): Promise<AcknowledgmentResult[]> {
  const answered = await recordAcknowledgments(db, host.id, acknowledgments);
  const untold = new Set<number>();
  await Promise.all(
    answered.map(async (event) => {
      if (event.current && !(await tell(sink, logger, host.name, event))) untold.add(event.sequence);
    }),
  );
  const events = new Map(answered.map((event) => [event.sequence, event]));
  const results = acknowledgments.map((acknowledgment) => {
    const { sequence } = acknowledgment;
    return { sequence, status: statusOf(acknowledgment, events.get(sequence), untold.has(sequence)) };
  });
  warnOfUnheeded(logger, results);
  return results;
}

function statusOf(
  { generation, outcome }: Acknowledgment,
  event: AnsweredEvent | undefined,
  isUntold: boolean,
): AcknowledgmentResult['status'] {
  if (event?.generation !== generation) return 'unknown';
  if (isUntold) return 'retry';
  return event.recorded && event.outcome === outcome ? 'recorded' : 'repeated';
}

/** One line for a batch, however much of it changed nothing. */
function warnOfUnheeded(logger: Logger, results: AcknowledgmentResult[]): void {
  const sequencesOf = (status: AcknowledgmentResult['status']) =>
    results.filter((result) => result.status === status).map(({ sequence }) => sequence);
  const unknown = sequencesOf('unknown');
  const repeated = sequencesOf('repeated');
  if (unknown.length + repeated.length === 0) return;
  logger.warn(
    { unknown: summarise(unknown), repeated: summarise(repeated) },
    'acknowledgments that change nothing: of events this host has not, or that have an answer',
  );
}

function summarise(sequences: number[]): { count: number; first: number[] } {
  return { count: sequences.length, first: sequences.slice(0, MOST_LOGGED) };
}

async function tell(sink: AcknowledgmentSink, logger: Logger, host: string, event: AnsweredEvent): Promise<boolean> {
  const { workflowId, operationId, change, outcome, message } = event;
  if (workflowId === null) return true;
  try {
    await sink.acknowledged({ workflowId, operationId, host, change, outcome, message });
    return true;
  } catch (error) {
    logger.error({ err: error, operationId, change }, 'operation could not be told of an acknowledgment');
    return false;
  }
}
