import { freePort } from '../../dev/environment/ports.ts';
import { type Closable, type Environment, startEnvironment } from '../../dev/kit/environment.ts';
import { fetchFaultTools } from '../faults/tools.ts';
import { startToxiproxy } from '../faults/toxiproxy.ts';
import { POOL, REGION } from './population.ts';

/** How Temporal is taken away. */
export const MODES = ['killed', 'stopped', 'slowed'] as const;
export type Mode = (typeof MODES)[number];

const PROXY = 'temporal';
/** Of each direction, so that a call takes two seconds. In milliseconds. */
const LATENCY_MS = 1_000;
const HOSTS = 2;

/** The processes of an installation, with a proxy before Temporal. */
export interface AwayEnvironment extends Closable {
  running: Environment;
  /** Takes Temporal away from everybody, at once. */
  takeTemporal(mode: Mode): Promise<void>;
  /** Brings it back; resolves when it answers. Nothing else is started again. */
  returnTemporal(mode: Mode): Promise<void>;
}

/** Where an environment keeps its logs, and who is told; it is stopped when the signal is aborted, even while it starts. */
export interface AwayEnvironmentOptions {
  folder: string;
  report(line: string): void;
  signal?: AbortSignal | undefined;
}

/** Starts everything on free ports and empty data, with the settings of an installation that sets none. */
export function startAwayEnvironment(options: AwayEnvironmentOptions): Promise<AwayEnvironment> {
  return startEnvironment({ ...options, ownServers: true, logLevel: 'info' }, async (environment) => {
    const { supervisor, servers, operator } = environment;
    const tools = await fetchFaultTools({ supervisor, environment: process.env, report: options.report });
    const proxyPort = await freePort();
    const toxiproxy = await startToxiproxy(supervisor, tools.toxiproxy, await freePort());
    await toxiproxy.add({ name: PROXY, port: proxyPort, upstreamPort: servers.ports.temporal });
    const settings = environment.through({ temporalAddress: `127.0.0.1:${proxyPort}` });
    await environment.startApplication({ settings });
    await operator.makeRegion(REGION, POOL);
    await environment.startHosts(await operator.registerHosts(REGION, HOSTS));
    return {
      running: environment,
      async takeTemporal(mode) {
        if (mode === 'slowed') return toxiproxy.trouble(PROXY, 'latency', { latency: LATENCY_MS });
        if (mode === 'stopped') return supervisor.signal('temporal', 'SIGSTOP');
        await supervisor.kill('temporal');
        // Its port rejects connections, and so does the one that stands for it.
        await toxiproxy.enable(PROXY, false);
      },
      async returnTemporal(mode) {
        if (mode === 'slowed') return toxiproxy.heal(PROXY, 'latency');
        if (mode === 'stopped') supervisor.signal('temporal', 'SIGCONT');
        else await supervisor.startAgain('temporal');
        await environment.answers('temporal');
        if (mode === 'killed') await toxiproxy.enable(PROXY, true);
      },
    };
  });
}
