import type { Logger } from 'pino';
import type { AcknowledgmentSink } from '../../../../client/acknowledgment-sink.ts';
import type { OrphanedCommand } from '../../../../db/hosts.ts';

const NOTIFIED_AT_ONCE = 20;

/**
 * Notifies the operations that wait for a host that is gone. Answers how many could not be notified: the database is right
 * all the same, and they read it at their next attempt.
 */
export async function notifyOrphans(
  sink: AcknowledgmentSink,
  logger: Logger,
  host: string,
  commands: OrphanedCommand[],
): Promise<number> {
  const waiting = [...commands];
  let unnotified = 0;
  const notify = async () => {
    for (let command = waiting.shift(); command; command = waiting.shift()) {
      try {
        await sink.acknowledged({ ...command, host });
      } catch (error) {
        unnotified++;
        logger.error(
          { err: error, host, operationId: command.operationId },
          'an operation could not be notified that a host is gone',
        );
      }
    }
  };
  await Promise.all(Array.from({ length: NOTIFIED_AT_ONCE }, notify));
  return unnotified;
}
