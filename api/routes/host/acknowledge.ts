import { setImmediate as immediate } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { AcknowledgmentSink } from '../../../client/acknowledgment-sink.ts';
import { type AnsweredCommand, recordAcknowledgments } from '../../../db/acknowledgments.ts';
import type { Acknowledgment } from '../../../domain/host-protocol.ts';
import type { ApiDependencies } from '../../context.ts';
import { type Fairness, takingTurns } from '../../fairness/fairness.ts';

/** The result of one acknowledgment; `retry`: recorded, but the operation could not be notified. */
export interface AcknowledgmentResult {
  sequence: number;
  status: 'recorded' | 'repeated' | 'unknown' | 'retry';
}

/** Most sequences of a batch that are named in one line of the log. */
const MOST_LOGGED = 10;

/** Most acknowledgments that are recorded in one turn; between two turns others have theirs. */
const TURN = 50;

type Dependencies = Pick<ApiDependencies, 'db' | 'acknowledgments' | 'notifyWorker'>;

/**
 * Records a batch and notifies the operations that wait. They are notified of repeated acknowledgments too, and always of
 * the outcome that stands: the process that recorded the first may have died before it notified anyone. For an answer to a
 * command whose operation has ended, nobody is notified. A large batch is recorded in parts, each when it is the
 * host's turn. Throws 429 when too many batches of the host wait; then a part may be recorded, and the host sends it again.
 */
export async function acknowledge(
  dependencies: Dependencies & { fairness: Fairness },
  logger: Logger,
  host: { id: number; name: string },
  acknowledgments: Acknowledgment[],
): Promise<AcknowledgmentResult[]> {
  const { db, fairness } = dependencies;
  const results: AcknowledgmentResult[] = [];
  for (let begin = 0; begin < acknowledgments.length; begin += TURN) {
    const part = acknowledgments.slice(begin, begin + TURN);
    const answered = await takingTurns(fairness.hosts, host.name, () => recordAcknowledgments(db, host.id, part));
    results.push(...(await notifyAll(dependencies, logger, host.name, part, answered)));
    await immediate();
  }
  warnOfUnheeded(logger, results);
  return results;
}

/** Notifies the operations that wait for these answers, and answers the result of each acknowledgment. */
async function notifyAll(
  { acknowledgments: sink, notifyWorker }: Omit<Dependencies, 'db'>,
  logger: Logger,
  host: string,
  acknowledgments: Acknowledgment[],
  answered: AnsweredCommand[],
): Promise<AcknowledgmentResult[]> {
  const left = answered.filter(
    (command) => command.current && !notifyWorker({ ...command, host }) && command.isWaitedFor,
  );
  const unnotified = new Set<number>();
  await Promise.all(
    left.map(async (command) => {
      if (!(await notify(sink, logger, host, command))) unnotified.add(command.sequence);
    }),
  );
  const commands = new Map(answered.map((command) => [command.sequence, command]));
  return acknowledgments.map((acknowledgment) => {
    const { sequence } = acknowledgment;
    return { sequence, status: statusOf(acknowledgment, commands.get(sequence), unnotified.has(sequence)) };
  });
}

function statusOf(
  { generation, outcome }: Acknowledgment,
  command: AnsweredCommand | undefined,
  isUnnotified: boolean,
): AcknowledgmentResult['status'] {
  if (command?.generation !== generation) return 'unknown';
  if (isUnnotified) return 'retry';
  return command.recorded && command.outcome === outcome ? 'recorded' : 'repeated';
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
    'acknowledgments were ignored: the host has no such command, or it was answered before',
  );
}

function summarise(sequences: number[]): { count: number; first: number[] } {
  return { count: sequences.length, first: sequences.slice(0, MOST_LOGGED) };
}

async function notify(
  sink: AcknowledgmentSink,
  logger: Logger,
  host: string,
  command: AnsweredCommand,
): Promise<boolean> {
  const { workflowId, operationId, change, address, outcome, message } = command;
  if (workflowId === null) return true;
  try {
    await sink.acknowledged({ workflowId, operationId, host, change, address, outcome, message });
    return true;
  } catch (error) {
    logger.error({ err: error, operationId, change }, 'an operation could not be notified of an acknowledgment');
    return false;
  }
}
