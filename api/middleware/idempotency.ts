import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createMiddleware } from 'hono/factory';
import type { Database } from '../../db/database.ts';
import {
  dropIdempotencyKey,
  type IdempotencyKey,
  type IdempotencyState,
  releaseIdempotencyKey,
  storeIdempotentAnswer,
  takeIdempotencyKey,
} from '../../db/idempotency.ts';
import { newOperationId, type OperationId } from '../../domain/identifiers.ts';
import type { BackgroundTasks } from '../background-tasks.ts';
import type { ApiEnvironment } from '../context.ts';
import { conflict, neverHappened, serviceUnavailable, unprocessable } from '../errors.ts';

const LONGEST_KEY = 255;
const FIRST_POLL_MS = 25;
const LONGEST_POLL_MS = 250;

/** Options of {@link idempotency}. */
export interface IdempotencyOptions {
  db: Database;
  /** Takes what is done after the answer. */
  backgroundTasks: BackgroundTasks;
  /** How long a process holds a key before another may carry its operation on; default 15. */
  leaseSeconds?: number;
  /** How long a repetition waits for the answer of a request that still runs; default 10. */
  waitSeconds?: number;
}

/**
 * Answers a repeated request that carries the same Idempotency-Key with the first one's answer, also from another
 * process and also while the first still runs. The operation's id is stored before anything is done under it, so that a
 * repetition after a crash carries the same operation on instead of starting another.
 */
export function idempotency({ db, backgroundTasks, leaseSeconds = 15, waitSeconds = 10 }: IdempotencyOptions) {
  async function standing(key: IdempotencyKey, hash: Buffer): Promise<IdempotencyState> {
    const operationId = newOperationId();
    const deadline = performance.now() + waitSeconds * 1_000;
    let hasWaited = false;
    for (let pause = FIRST_POLL_MS; ; pause = Math.min(pause * 2, LONGEST_POLL_MS)) {
      const found = await takeIdempotencyKey(db, key, { hash, operationId, leaseSeconds });
      if (found.kind === 'held' && found.operationId === operationId && hasWaited) {
        // Whoever it waited for was told that nothing happened, and may have been told so in its place.
        await dropIdempotencyKey(db, key, operationId);
        throw serviceUnavailable();
      }
      if (found.kind !== 'running' || performance.now() + pause > deadline) return found;
      hasWaited = true;
      await sleep(pause);
    }
  }

  async function keep(key: IdempotencyKey, operationId: OperationId, response: Response, error: unknown) {
    if (response.status < 500) {
      const body = await response.clone().text();
      await storeIdempotentAnswer(db, key, { operationId, status: response.status, body });
    } else if (neverHappened(error)) {
      await dropIdempotencyKey(db, key, operationId);
    } else {
      await releaseIdempotencyKey(db, key, operationId);
    }
  }

  return createMiddleware<ApiEnvironment>(async function idempotency(c, next) {
    const text = c.req.header('idempotency-key');
    if (text === undefined) return next();
    if (text === '' || text.length > LONGEST_KEY) {
      throw unprocessable(`Idempotency-Key must have 1 to ${LONGEST_KEY} characters.`);
    }
    const key = { accountId: c.var.caller.accountId, keyHash: sha256(text) };
    const found = await standing(key, sha256(`${c.req.method} ${c.req.path}\n${await c.req.text()}`));
    switch (found.kind) {
      case 'mismatch':
        throw unprocessable('This Idempotency-Key was used for a different request.');
      case 'running':
        throw conflict('A request with this Idempotency-Key is still being processed.');
      case 'answered':
        return replay(found);
      case 'held': {
        c.set('operationId', found.operationId);
        await next();
        const keeping = keep(key, found.operationId, c.res, c.error).catch((error: unknown) => {
          // The answer stands; a repetition finds the same operation once the lease is over.
          c.var.logger.warn({ err: error }, 'the answer to an Idempotency-Key was not stored');
        });
        // Nobody waits for an answer to be stored: until then a repetition waits. A key must be free with the rejection.
        if (c.res.status < 500) backgroundTasks.add(keeping);
        else await keeping;
      }
    }

    function replay({ status, body }: { status: number; body: string }): Response {
      c.header('idempotency-replayed', 'true');
      c.header('content-type', 'application/json');
      return new Response(body, { status, headers: c.body(null).headers });
    }
  });
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
