import { type Logger, pino } from 'pino';
import { inject, onTestFinished } from 'vitest';
import { type AdmitOperation, createAdmission } from '../../admission/admission.ts';
import { createApp } from '../../api/app.ts';
import { BackgroundTasks } from '../../api/background-tasks.ts';
import type { ApiApp, ApiDependencies } from '../../api/context.ts';
import { mysqlProbe, temporalProbe } from '../../api/health-probes.ts';
import { WaitingHosts } from '../../api/host-commands/waiting-hosts.ts';
import { createAcknowledgmentSink } from '../../client/acknowledgment-sink.ts';
import { type Database, openDatabase } from '../../db/database.ts';
import { OperationStarter } from '../../outbox/starter.ts';
import { operationRules } from './operation-rules.ts';
import { useTemporal } from './temporal.ts';

/** The rules that an API in a test follows. */
export const RULES = operationRules(1);
/** What operations of a test try for how long, in milliseconds. */
export const TIMEOUTS = {
  timeoutMs: 10_000,
  attempts: 5,
  previousHostTimeoutMs: 3_000,
  stuckAfterMs: 30_000,
  billingStuckAfterMs: 300_000,
};

/** What a test puts in the place of a part of the API. */
export interface AppOptions {
  mysqlUrl?: string;
  admit?: ApiDependencies['admit'];
  health?: Partial<ApiDependencies['health']>;
  warmUp?: NonNullable<ApiDependencies['warmUp']>;
  /** Where it logs to; default nowhere. */
  logger?: Logger;
}

/** The API inside the running test, on the servers of the environment unless told otherwise. */
export async function useApp(options: AppOptions = {}): Promise<ApiApp> {
  return createApp(await useDependencies(options));
}

/** What the API in the running test is made of. */
export async function useDependencies({
  mysqlUrl = inject('environment').mysqlUrl,
  admit,
  health,
  warmUp,
  logger = pino({ level: 'silent' }),
}: AppOptions = {}): Promise<ApiDependencies> {
  const db: Database = openDatabase({ url: mysqlUrl, poolSize: 4 });
  const waitingHosts = new WaitingHosts({ db, logger });
  const backgroundTasks = new BackgroundTasks();
  onTestFinished(async () => {
    waitingHosts.close();
    await backgroundTasks.finished();
    await db.destroy();
  });
  const temporal = await useTemporal();
  return {
    db,
    admit: admit ?? (await useAdmission({ mysqlUrl })).admit,
    backgroundTasks,
    notifyWorker: () => false,
    acknowledgments: createAcknowledgmentSink(temporal),
    logger,
    adminToken: inject('environment').adminToken,
    waitingHosts,
    stopping: new AbortController().signal,
    health: { mysql: mysqlProbe(db), temporal: temporalProbe(temporal), ...health },
    ...(warmUp && { warmUp }),
  };
}

/** The API's own way in, inside the running test. */
export async function useAdmission({ mysqlUrl = inject('environment').mysqlUrl } = {}): Promise<{
  admit: AdmitOperation;
  starter: OperationStarter;
}> {
  const db = openDatabase({ url: mysqlUrl, poolSize: 4 });
  const temporal = await useTemporal();
  const starter = new OperationStarter({ db, temporal, logger: pino({ level: 'silent' }), timeouts: TIMEOUTS });
  onTestFinished(async () => {
    await starter.close();
    await db.destroy();
  });
  const admit = createAdmission({
    db,
    rules: RULES,
    notifyHosts: () => {},
    start: (operation, admitted) => void starter.start(operation, admitted),
  });
  return { admit, starter };
}
