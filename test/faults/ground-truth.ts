import type { Client } from '@temporalio/client';
import { pino } from 'pino';
import { z } from 'zod';
import type { Database } from '../../db/database.ts';
import { expectAnswer, Http } from '../../dev/kit/http.ts';
import { inTheEnd } from '../../dev/kit/until.ts';
import { type Address, addressFromBytes, addressToResourceId } from '../../domain/address.ts';
import { operationSchema } from '../../domain/operation.ts';
import { readNetworkFile } from '../../host/drivers/simulated.ts';
import { checkConsistency } from '../../ops/consistency/check.ts';
import { describeViolation } from '../../ops/consistency/violation.ts';
import type { FaultEnvironment } from './environment.ts';
import type { ListedAction } from './histories/operation.ts';

const ADDRESS = / (\d+\.\d+\.\d+\.\d+|[\da-f]+(:[\da-f]*)+)/;
/** A billing event that Kafka rejected is tried again after a minute at the latest. */
const SETTLE_WITHIN_MS = 180_000;

/** What is true when the dust has settled. */
export interface GroundTruth {
  actions: ListedAction[];
  /** Why each errored action errored, and how often. */
  reasons: Map<string, number>;
  /** What is not as it must be. */
  problems: string[];
}

/** Waits until everything has ended and holds, and reads what has become of it; what stays wrong is a problem. */
export async function readGroundTruth(environment: FaultEnvironment, signal?: AbortSignal): Promise<GroundTruth> {
  const db = environment.running.openDatabase(8);
  const temporal = await environment.running.openTemporal();
  const look = () => problemsNow(environment, db, temporal).catch((error: unknown) => [String(error)]);
  const problems = await inTheEnd(look, SETTLE_WITHIN_MS, signal);
  return { actions: await listActions(environment, db), reasons: await reasonsOfErrors(db), problems };
}

async function problemsNow(environment: FaultEnvironment, db: Database, temporal: Client): Promise<string[]> {
  const open = (await listActions(environment, db)).filter(({ status }) => status === 'in-progress');
  if (open.length > 0) return open.map(({ id, address }) => `action ${id} on ${address} has not ended`);
  const violations = await checkConsistency({
    db,
    temporal,
    kafka: { brokers: [environment.kafkaBrokers] },
    logger: pino({ level: 'silent' }),
    looks: 3,
  });
  return [...violations.map(describeViolation), ...(await misplaced(environment, db))];
}

/** Addresses that hosts answer for otherwise than the database says: on another host, on two, or on none. */
async function misplaced(environment: FaultEnvironment, db: Database): Promise<string[]> {
  const rows = await db
    .selectFrom('addresses')
    .innerJoin('droplets', 'droplets.id', 'addresses.droplet_id')
    .innerJoin('hosts', 'hosts.id', 'droplets.host_id')
    .select(['addresses.address', 'droplets.id as droplet', 'hosts.name as host'])
    .execute();
  const wanted = rows.map(({ address, droplet, host }) => `${addressFromBytes(address)} for ${droplet} on ${host}`);
  const found = [...environment.networkFiles].flatMap(([host, file]) =>
    readNetworkFile(file).map(({ address, dropletId }) => `${address} for ${dropletId} on ${host}`),
  );
  return [
    ...wanted.filter((one) => !found.includes(one)).map((one) => `no host answers as it should: ${one}`),
    ...found.filter((one) => !wanted.includes(one)).map((one) => `a host answers that should not: ${one}`),
  ];
}

const actionsSchema = z.object({
  actions: z.array(
    z.object({
      id: z.int(),
      type: z.string(),
      status: z.enum(['in-progress', 'completed', 'errored']),
      resource_id: z.int(),
      resource_type: z.string(),
    }),
  ),
  meta: z.object({ total: z.int() }),
});

/** Every action of the accounts on addresses, as they can list them, and for which droplet's end it was. */
async function listActions(environment: FaultEnvironment, db: Database): Promise<ListedAction[]> {
  const addresses = await addressesByResource(db);
  const destructions = await listDestructions(db);
  const found: ListedAction[] = [];
  for (const { id: accountId, token } of environment.accounts) {
    const http = new Http(environment.apiUrls.left, token);
    for (let page = 1; ; page++) {
      const answer = await http.get(`/v2/actions?per_page=200&page=${page}`);
      const { actions, meta } = expectAnswer(answer, 200, actionsSchema);
      for (const { id, type, status, resource_id, resource_type } of actions) {
        if (resource_type === 'droplet') continue;
        const address = addresses.get(`${resource_type} ${resource_id}`);
        if (address === undefined) throw new Error(`action ${id} is of ${resource_type} ${resource_id}`);
        found.push({ id, accountId, type, status, address, destroysDroplet: destructions.get(id) ?? null });
      }
      if (page * 200 >= meta.total) break;
    }
  }
  return found;
}

/** An action names an IPv4 address by the number that its bytes are, and an IPv6 address by that of its row. */
async function addressesByResource(db: Database): Promise<Map<string, Address>> {
  const rows = await db.selectFrom('addresses').select(['id', 'address']).execute();
  return new Map(
    rows.map(({ id, address: bytes }) => {
      const address = addressFromBytes(bytes);
      const number = addressToResourceId(address);
      return [number === null ? `reserved_ipv6 ${id}` : `reserved_ip ${number}`, address];
    }),
  );
}

/** The droplets that were destroyed with the unassigns that nobody asked for by themselves, by their actions. */
async function listDestructions(db: Database): Promise<Map<number, number>> {
  const rows = await db
    .selectFrom('actions')
    .innerJoin('operations', 'operations.id', 'actions.operation_id')
    .select(['actions.id', 'operations.request'])
    .where('actions.type', '=', 'unassign_ip')
    .execute();
  const droplets = new Map<number, number>();
  for (const { id, request } of rows) {
    const operation = operationSchema.parse(JSON.parse(request));
    if (operation.kind !== 'unassign' || operation.destroysDropletId === null) continue;
    droplets.set(id, operation.destroysDropletId);
  }
  return droplets;
}

async function reasonsOfErrors(db: Database): Promise<Map<string, number>> {
  const rows = await db
    .selectFrom('actions')
    .select(['reason', ({ fn }) => fn.countAll<number>().as('count')])
    .where('status', '=', 'errored')
    .groupBy('reason')
    .execute();
  const reasons = new Map<string, number>();
  for (const { reason, count } of rows) {
    const withoutAddress = (reason ?? '').replace(ADDRESS, '');
    reasons.set(withoutAddress, (reasons.get(withoutAddress) ?? 0) + Number(count));
  }
  return reasons;
}
