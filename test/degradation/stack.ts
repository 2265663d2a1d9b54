import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import { z } from 'zod';
import { migrate, startApi, startWorker } from '../../dev/environment/application.ts';
import { STACK_FOLDER } from '../../dev/environment/paths.ts';
import { ProcessSupervisor, type RunningProcess, signalGroup } from '../../dev/environment/processes.ts';
import { pingMysql } from '../../dev/environment/servers/database-access.ts';
import { startServers } from '../../dev/environment/servers/index.ts';
import { pingKafka } from '../../dev/environment/servers/kafka.ts';
import { pingTemporal } from '../../dev/environment/servers/temporal.ts';
import { until } from '../../dev/kit/until.ts';
import {
  type ConsistencyCheckConfiguration,
  parseConsistencyCheckConfiguration,
} from '../../ops/consistency/settings.ts';

/** What can be taken away. */
export type Part = 'kafka' | 'workers' | 'temporal' | 'mysql';

/** How it is taken away: its process is killed, or stands still and says nothing. */
export type Failure = 'killed' | 'silent';

/** A request as the API's access log has it. */
const requestLineSchema = z.object({
  /** When it was answered, in milliseconds since 1970. */
  time: z.number(),
  method: z.string(),
  path: z.string(),
  status: z.int(),
  /** From when the API took the request until its answer. */
  milliseconds: z.number(),
});
export type LoggedRequest = z.infer<typeof requestLineSchema>;

/** A whole control plane with servers of its own, which a test may take away and bring back. */
export interface FragileStack {
  apiUrl: string;
  servers: Pick<ConsistencyCheckConfiguration, 'mysql' | 'temporal' | 'kafka'>;
  kafkaBrokers: string;
  take(part: Part, failure: Failure): Promise<void>;
  /** Brings it back and resolves as soon as it answers; nothing else is restarted. */
  bringBack(part: Part): Promise<void>;
  /** What the API has logged of all requests. */
  loggedRequests(): Promise<LoggedRequest[]>;
  close(): Promise<void>;
}

/** An API without a worker inside, and one worker beside it. */
export async function startFragileStack(): Promise<FragileStack> {
  const dataFolder = await mkdtemp(join(tmpdir(), 'reserved-ip-degradation-'));
  const supervisor = new ProcessSupervisor({ folder: join(STACK_FOLDER, 'test-degradation') });
  async function close(): Promise<void> {
    await supervisor.stop();
    await rm(dataFolder, { recursive: true, force: true });
  }
  try {
    const environment = { ...process.env, HOST_ACKNOWLEDGMENT_TIMEOUT_MS: '5000', QUARANTINE_SECONDS: '2' };
    const servers = await startServers({ supervisor, dataFolder, environment, report: () => {}, ports: 'free' });
    const { adminToken, workflowBundle } = inject('stack');
    const settings = { supervisor, servers, environment, adminToken, logLevel: 'warn' };
    await migrate(settings);
    const [api, worker] = await Promise.all([
      startApi(
        { ...settings, logLevel: 'info' },
        { name: 'api', port: servers.ports.api, workflowBundle, embeddedWorker: false },
      ),
      startWorker(settings, { name: 'worker', workflowBundle }),
    ]);
    const running = new Map([...servers.processes, worker].map((one): [string, RunningProcess] => [one.name, one]));
    const { mysql, temporal, kafka } = parseConsistencyCheckConfiguration({
      MYSQL_URL: servers.mysqlUrl,
      TEMPORAL_ADDRESS: servers.temporalAddress,
      KAFKA_BROKERS: servers.kafkaBrokers,
    });
    const pings: Record<Part, () => Promise<void>> = {
      kafka: () => pingKafka(kafka),
      workers: async () => {},
      temporal: () => pingTemporal(temporal),
      mysql: () => pingMysql(mysql),
    };
    const gone = new Set<Part>();
    const processOf = (part: Part): RunningProcess => {
      const found = running.get(part === 'workers' ? 'worker' : part);
      if (!found) throw new Error(`${part} is not there`);
      return found;
    };
    return {
      apiUrl: api.url,
      servers: { mysql, temporal, kafka },
      kafkaBrokers: servers.kafkaBrokers,
      async take(part, failure) {
        const { pid, exited } = processOf(part);
        signalGroup(pid, failure === 'killed' ? 'SIGKILL' : 'SIGSTOP');
        if (failure === 'silent') return;
        gone.add(part);
        await exited;
      },
      async bringBack(part) {
        const before = processOf(part);
        if (gone.delete(part)) running.set(before.name, await supervisor.start(before.start));
        else signalGroup(before.pid, 'SIGCONT');
        await until(
          `${part} answers again`,
          () =>
            pings[part]().then(
              () => true,
              () => false,
            ),
          60_000,
        );
      },
      async loggedRequests() {
        const log = await readFile(join(supervisor.folder, 'logs', 'api.log'), 'utf8');
        return log.split('\n').flatMap((line) => requestLineSchema.safeParse(parseLine(line)).data ?? []);
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Undefined when it is no JSON, as a line that is being written is not. */
function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
