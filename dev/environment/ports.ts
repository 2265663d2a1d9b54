import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { EnvironmentError } from './errors.ts';
import { listenerOf } from './process-table.ts';

/** The ports that people choose, by what listens there. */
export type PortName =
  | 'api'
  | 'internal'
  | 'hostApi'
  | 'temporal'
  | 'temporalUi'
  | 'temporalMetrics'
  | 'temporalHttp'
  | 'mysql'
  | 'kafka'
  | 'kafkaController';

/** A port for everything. */
export type Ports = Readonly<Record<PortName, number>>;

/** `default`: the well-known ports, each overridable by its variable; `free`: whichever are free; or those chosen before. */
export type PortChoice = 'default' | 'free' | Ports;

interface PortSetting {
  readonly label: string;
  readonly variable: string;
  readonly fallback: number;
}

const SETTINGS: Readonly<Record<PortName, PortSetting>> = {
  api: { label: 'the API', variable: 'API_PORT', fallback: 8080 },
  internal: { label: 'the internal API', variable: 'INTERNAL_PORT', fallback: 8081 },
  hostApi: { label: "the hosts' API", variable: 'HOST_API_PORT', fallback: 8082 },
  temporal: { label: 'Temporal', variable: 'TEMPORAL_PORT', fallback: 7233 },
  temporalUi: { label: 'the Temporal Web UI', variable: 'TEMPORAL_UI_PORT', fallback: 8233 },
  temporalMetrics: { label: 'Temporal metrics', variable: 'TEMPORAL_METRICS_PORT', fallback: 17233 },
  temporalHttp: { label: "Temporal's HTTP API", variable: 'TEMPORAL_HTTP_PORT', fallback: 17243 },
  mysql: { label: 'MySQL', variable: 'MYSQL_PORT', fallback: 13306 },
  kafka: { label: 'Kafka', variable: 'KAFKA_PORT', fallback: 19092 },
  kafkaController: { label: "Kafka's controller", variable: 'KAFKA_CONTROLLER_PORT', fallback: 19093 },
};

const PORT_NAMES = Object.keys(SETTINGS).filter((name): name is PortName => name in SETTINGS);

/** A port that is needed is held by another process; `conflicts` names them all. */
export class PortsTakenError extends EnvironmentError {
  override readonly name = 'PortsTakenError';
  readonly conflicts: readonly { readonly port: number; readonly variable: string }[];

  constructor(conflicts: readonly { port: number; variable: string; description: string }[]) {
    super(
      [
        conflicts.length === 1 ? 'A port that is needed is taken:' : 'Ports that are needed are taken:',
        ...conflicts.map((conflict) => `  ${conflict.description}`),
        'If that is another start of this environment: `npm run down` in its folder stops it. Otherwise stop that process,',
        `or choose another port, for example: ${conflicts.map((conflict) => `${conflict.variable}=${alternativeTo(conflict.port)}`).join(' ')} npm start`,
      ].join('\n'),
    );
    this.conflicts = conflicts;
  }
}

/**
 * Decides on the ports without opening any.
 *
 * @throws {EnvironmentError} when a variable holds no port number, or two of them hold the same one.
 */
export async function choosePorts(choice: PortChoice, environment: NodeJS.ProcessEnv): Promise<Ports> {
  if (typeof choice !== 'string') return choice;
  const ports = choice === 'free' ? await allFreePorts() : defaultPorts(environment);
  const repeated = PORT_NAMES.filter((name) =>
    PORT_NAMES.some((other) => other !== name && ports[other] === ports[name]),
  );
  if (repeated.length > 0) {
    const list = repeated.map((name) => `${SETTINGS[name].variable}=${ports[name]}`).join(', ');
    throw new EnvironmentError(`The same port is set more than once: ${list}.`);
  }
  return ports;
}

/**
 * Checks that nothing listens on the named ports of this machine.
 *
 * @throws {PortsTakenError} naming every one that is taken, and by which process.
 */
export async function assertPortsFree(ports: Ports, names: readonly PortName[]): Promise<void> {
  const conflicts = await Promise.all(
    names.map(async (name) => {
      const port = ports[name];
      const problem = await bindProblem(port);
      if (problem === undefined) return [];
      const { label, variable } = SETTINGS[name];
      return [
        { port, variable, description: `port ${port} for ${label} (${variable}): ${await whoHolds(port, problem)}` },
      ];
    }),
  );
  if (conflicts.flat().length > 0) throw new PortsTakenError(conflicts.flat());
}

function alternativeTo(port: number): number {
  return port > 65_000 ? port - 100 : port + 100;
}

async function whoHolds(port: number, problem: string): Promise<string> {
  if (problem !== 'EADDRINUSE') return `cannot be opened (${problem})`;
  const holder = await listenerOf(port);
  if (holder === undefined) return 'held by a process of another user';
  return `held by process ${holder.pid} in ${holder.workingFolder} (${holder.command})`;
}

function defaultPorts(environment: NodeJS.ProcessEnv): Ports {
  const port = (name: PortName): number => {
    const { variable, fallback } = SETTINGS[name];
    const text = environment[variable];
    if (text === undefined || text === '') return fallback;
    const value = Number(text);
    if (Number.isInteger(value) && value > 0 && value < 65_536) return value;
    throw new EnvironmentError(`${variable}=${text} is not a port number (1 to 65535).`);
  };
  return collect(port);
}

/** A port that nobody listens on right now, and that the kernel takes for no outgoing connection meanwhile. */
export async function freePort(): Promise<number> {
  for (;;) {
    const candidate = randomInt(20_000, 32_000);
    if ((await bindProblem(candidate)) === undefined) return candidate;
  }
}

/** Has a server listen on the loopback interface, by default on any free port; answers the port. */
export async function listenOnLoopback(server: Server, port = 0): Promise<number> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return address.port;
}

/** So many different ports as {@link freePort} finds them, none of them among those that are taken already. */
export async function freePorts(count: number, taken: readonly number[] = []): Promise<number[]> {
  const found: number[] = [];
  while (found.length < count) {
    const candidate = await freePort();
    if (!found.includes(candidate) && !taken.includes(candidate)) found.push(candidate);
  }
  return found;
}

async function allFreePorts(): Promise<Ports> {
  const found = await freePorts(PORT_NAMES.length);
  return collect((name) => found[PORT_NAMES.indexOf(name)] ?? 0);
}

function collect(portOf: (name: PortName) => number): Ports {
  return {
    api: portOf('api'),
    internal: portOf('internal'),
    hostApi: portOf('hostApi'),
    temporal: portOf('temporal'),
    temporalUi: portOf('temporalUi'),
    temporalMetrics: portOf('temporalMetrics'),
    temporalHttp: portOf('temporalHttp'),
    mysql: portOf('mysql'),
    kafka: portOf('kafka'),
    kafkaController: portOf('kafkaController'),
  };
}

/** The error code of listening on a loopback port; undefined when that works. */
function bindProblem(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error) => resolve('code' in error ? String(error.code) : error.message));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}
