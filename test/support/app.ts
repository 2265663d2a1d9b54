import { type Logger, pino } from 'pino';
import { inject, onTestFinished } from 'vitest';
import { createApp } from '../../api/app.ts';
import type { ApiApp, ApiDependencies } from '../../api/context.ts';
import { mysqlProbe, temporalProbe } from '../../api/health-probes.ts';
import { WaitingHosts } from '../../api/host-events/waiting-hosts.ts';
import { createAcknowledgmentSink } from '../../client/acknowledgment-sink.ts';
import { createReservedIpClient } from '../../client/index.ts';
import { type Database, openDatabase } from '../../db/database.ts';
import { useTemporal } from './temporal.ts';

/** What a test puts in the place of a part of the API. */
export interface AppOptions {
  mysqlUrl?: string;
  client?: ApiDependencies['client'];
  health?: Partial<ApiDependencies['health']>;
  /** Where it logs to; default nowhere. */
  logger?: Logger;
}

/** The API inside the running test, on the servers of the stack unless told otherwise. */
export async function useApp(options: AppOptions = {}): Promise<ApiApp> {
  return createApp(await useDependencies(options));
}

/** What the API in the running test is made of. */
export async function useDependencies({
  mysqlUrl = inject('stack').mysqlUrl,
  client,
  health,
  logger = pino({ level: 'silent' }),
}: AppOptions = {}): Promise<ApiDependencies> {
  const db: Database = openDatabase({ url: mysqlUrl, poolSize: 4 });
  const waitingHosts = new WaitingHosts({ db, logger });
  onTestFinished(async () => {
    waitingHosts.close();
    await db.destroy();
  });
  const temporal = await useTemporal();
  return {
    db,
    client: client ?? createReservedIpClient({ temporal }),
    acknowledgments: createAcknowledgmentSink(temporal),
    logger,
    adminToken: inject('stack').adminToken,
    waitingHosts,
    stopping: new AbortController().signal,
    health: { mysql: mysqlProbe(db), temporal: temporalProbe(temporal), ...health },
  };
}
