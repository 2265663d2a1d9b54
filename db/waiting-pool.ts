import { setTimeout as sleep } from 'node:timers/promises';
import type { MysqlPool } from 'kysely';
import { databaseErrorCode, isConnectionLost } from './retry.ts';

/** Less than a request and a probe of `/readyz` have for MySQL, so that both say in the end why it cannot be reached. */
const WAIT_MS = 800;
const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 100;

/** Nobody listens there, or a server that is just starting or stopping has closed the connection again. */
const AWAY_CODES = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ER_SERVER_SHUTDOWN', 'ER_NORMAL_SHUTDOWN']);

/**
 * A pool that waits for its server, for `waitMs` milliseconds at most, where there is none to connect to. A restart or a
 * failover takes a moment, and a customer who waits for it is served instead of rejected, and instead of coming again at
 * once. Nothing was sent yet, so nothing is done twice.
 */
export function waitingForServer(pool: MysqlPool, { waitMs = WAIT_MS }: { waitMs?: number } = {}): MysqlPool {
  return {
    getConnection(callback) {
      const deadline = performance.now() + waitMs;
      const take = (pauseMs: number) => {
        pool.getConnection((error, connection) => {
          if (!isAway(error) || performance.now() + pauseMs > deadline) return callback(error, connection);
          void sleep(pauseMs).then(() => take(Math.min(2 * pauseMs, LONGEST_PAUSE_MS)));
        });
      };
      take(FIRST_PAUSE_MS);
    },
    end: (callback) => pool.end(callback),
  };
}

function isAway(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.some(isAway);
  return isConnectionLost(error) || AWAY_CODES.has(databaseErrorCode(error) ?? '');
}
