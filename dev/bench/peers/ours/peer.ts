import { z } from 'zod';
import { BILLING_TOPIC } from '../../../../domain/names.ts';
import { type Call, type Peer, UnavailableError } from '../peer.ts';
import { type SharedServers, untilHealthy } from '../servers.ts';
import { startControlPlane } from './control-plane.ts';

const acceptedSchema = z.object({ action: z.object({ id: z.int() }) });
const statusSchema = z.object({ action: z.object({ status: z.string() }) });
const totalSchema = z.object({ meta: z.object({ total: z.int() }) });

/** Starts the control plane; it is measured through its public API alone. */
export async function startOurs(shared: SharedServers, laneCount: number): Promise<Peer> {
  const { environment } = shared;
  const { supervisor } = environment;
  const { api, agents, accountId, lanes } = await startControlPlane(shared, laneCount);
  /** Operations that were asked for, by address. */
  const asked = new Map<string, Set<string>>();
  const actionsBefore = new Map<string, number>();

  async function countActions(address: string): Promise<number> {
    const path = `/v2/reserved_ips/${address}/actions`;
    return (await api.send({ method: 'GET', path, status: 200, schema: totalSchema })).meta.total;
  }
  for (const { address } of [...lanes[0], ...lanes[100]]) {
    asked.set(address, new Set());
    actionsBefore.set(address, await countActions(address));
  }

  return {
    name: 'reserved-ip',
    topic: BILLING_TOPIC,
    lanes,
    accountId,
    processes: () =>
      new Map([
        ['temporal', [environment.pidOf('temporal')]],
        ['service', [supervisor.find('api').pid]],
        ['mysql', [environment.pidOf('mysql')]],
        ['kafka', [environment.pidOf('kafka')]],
        ['hosts', agents.map(({ pid }) => pid)],
      ]),
    async accept({ operationId, address, dropletId, repeatable }: Call) {
      asked.get(address)?.add(operationId);
      const body = dropletId === null ? { type: 'unassign' } : { type: 'assign', droplet_id: dropletId };
      const headers: Record<string, string> = repeatable ? { 'idempotency-key': operationId } : {};
      const answer = await api.exchange('POST', `/v2/reserved_ips/${address}/actions`, body, headers);
      // After a 504 it is not known whether it was carried out, so only a key makes it safe to send again.
      if (answer.status === 503 || (answer.status === 504 && repeatable)) throw new UnavailableError(answer.text);
      if (answer.status !== 201) throw new Error(`reserved-ip: ${answer.status} ${answer.text}`);
      return String(acceptedSchema.parse(JSON.parse(answer.text)).action.id);
    },
    kill: () => supervisor.kill('api'),
    async restart() {
      await untilHealthy(await supervisor.startAgain('api'), `${environment.apiUrl}/readyz`);
    },
    async outcome(operations) {
      const statuses = await Promise.all(
        operations.map(async ({ publishedId, lane: { address } }) => {
          const path = `/v2/reserved_ips/${address}/actions/${publishedId}`;
          return (await api.send({ method: 'GET', path, status: 200, schema: statusSchema })).action.status;
        }),
      );
      let doubled = 0;
      for (const [address, ids] of asked) {
        if ((await countActions(address)) - (actionsBefore.get(address) ?? 0) !== ids.size) doubled += 1;
      }
      return {
        completed: statuses.filter((status) => status === 'completed').length,
        doubled,
        open: statuses.filter((status) => status === 'in-progress').length,
      };
    },
    async close() {
      api.close();
    },
  };
}
