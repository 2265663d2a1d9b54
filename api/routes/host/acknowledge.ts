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
  const statuses = new Map<number, AcknowledgmentResult['status']>();
  await Promise.all(
    answered.map(async (event) => {
      const told = !event.current || (await tell(sink, logger, host.name, event));
      statuses.set(event.sequence, told ? (event.recorded ? 'recorded' : 'repeated') : 'retry');
    }),
  );
  const generations = new Map(answered.map(({ sequence, generation }) => [sequence, generation]));
  return acknowledgments.map(({ sequence, generation }) => {
    const status = generations.get(sequence) === generation ? statuses.get(sequence) : undefined;
    if (!status) logger.warn({ host: host.name, sequence, generation }, 'acknowledgment of an event this host has not');
    return { sequence, status: status ?? 'unknown' };
  });
}

async function tell(sink: AcknowledgmentSink, logger: Logger, host: string, event: AnsweredEvent): Promise<boolean> {
  const { workflowId, operationId, change, outcome, message } = event;
  try {
    await sink.acknowledged({ workflowId, operationId, host, change, outcome, message });
    return true;
  } catch (error) {
    logger.error({ err: error, host, operationId, change }, 'operation could not be told of an acknowledgment');
    return false;
  }
}
