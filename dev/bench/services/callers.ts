import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { OperationHandle, ReservedIpClient } from '../../../client/index.ts';
import type { Account } from '../../kit/account.ts';
import { REGION } from '../environment.ts';
import type { BenchClient } from '../http.ts';

/** The operations that are compared. */
export const OPERATIONS = ['reserve', 'assign', 'release'] as const;
export type OperationName = (typeof OPERATIONS)[number];

/** One operation as its caller saw it, in milliseconds from the call. */
export interface Call {
  address: string;
  /** Until it was known whether it will happen. */
  accepted: number;
  /** Until it was known that it has happened. */
  known: number;
}

/** Somebody who holds addresses, by one way or another. */
export interface Caller {
  reserve(): Promise<Call>;
  assign(address: string, dropletId: number): Promise<Call>;
  release(address: string): Promise<Call>;
}

/** An internal service, over Temporal alone or over a database. */
export function sdkCaller(reservedIps: ReservedIpClient, { id: accountId }: Account): Caller {
  async function timed(start: () => Promise<OperationHandle>, waits: boolean): Promise<Call> {
    const begin = performance.now();
    const handle = await start();
    const accepted = performance.now() - begin;
    const { decision } = handle;
    if (decision.kind === 'refused') throw new Error(`rejected: ${decision.refusal}`);
    if (waits) await handle.completed();
    return { address: decision.address, accepted, known: waits ? performance.now() - begin : accepted };
  }
  return {
    // Its decision says that it is settled already.
    reserve: () => timed(() => reservedIps.reserve({ accountId, target: { region: REGION, dropletId: null } }), true),
    assign: (address, dropletId) => timed(() => reservedIps.assign({ accountId, address, dropletId }), true),
    // Admitted, it is final for its owner, to whom the address is gone: as the 204 of the API says.
    release: (address) => timed(() => reservedIps.release({ accountId, address }), false),
  };
}

const reservedAnswer = z.object({ reserved_ip: z.object({ ip: z.string() }) });
const actionAnswer = z.object({ action: z.object({ id: z.int(), status: z.string() }) });

/** A customer of the HTTP API who, as long as an action is in progress, looks at it every `pollMs` milliseconds. */
export function httpCaller(http: BenchClient, pollMs: number): Caller {
  async function untilCompleted(id: number): Promise<void> {
    const path = `/v2/actions/${id}`;
    for (;;) {
      const { action } = await http.send({ method: 'GET', path, status: 200, schema: actionAnswer });
      if (action.status === 'completed') return;
      if (action.status === 'errored') throw new Error(`action ${id} errored`);
      await sleep(pollMs);
    }
  }
  return {
    async reserve() {
      const begin = performance.now();
      const path = '/v2/reserved_ips';
      const answer = await http.send({ method: 'POST', path, status: 202, schema: reservedAnswer }, { region: REGION });
      const accepted = performance.now() - begin;
      return { address: answer.reserved_ip.ip, accepted, known: accepted };
    },
    async assign(address, dropletId) {
      const begin = performance.now();
      const path = `/v2/reserved_ips/${address}/actions`;
      const { action } = await http.send(
        { method: 'POST', path, status: 201, schema: actionAnswer },
        { type: 'assign', droplet_id: dropletId },
      );
      const accepted = performance.now() - begin;
      await untilCompleted(action.id);
      return { address, accepted, known: performance.now() - begin };
    },
    async release(address) {
      const begin = performance.now();
      await http.send({ method: 'DELETE', path: `/v2/reserved_ips/${address}`, status: 204, schema: z.undefined() });
      const accepted = performance.now() - begin;
      return { address, accepted, known: accepted };
    },
  };
}
