import { script } from '../../environment/application.ts';
import { freePort } from '../../environment/ports.ts';
import { type RunningProcess, signalGroup } from '../../environment/processes.ts';
import { type ServiceSettings, toEnvironment } from './common/service-settings.ts';
import { type SharedServers, untilHealthy } from './servers.ts';

/** How a peer's service is started. */
export interface ServiceStart {
  name: string;
  /** Its script, from the top of the project. */
  script: string;
  topic: string;
  mysqlUrl: string;
  server: string;
  /** Resolves when the process answers; default when its `/health` does. */
  untilReady?(process: RunningProcess, port: number): Promise<void>;
}

/** The process of a peer that carries out its operations; can be killed and started again on the same port. */
export class ServiceProcess {
  readonly port: number;
  readonly #shared: SharedServers;
  readonly #start: ServiceStart;
  #process: RunningProcess;

  private constructor(shared: SharedServers, start: ServiceStart, port: number, process: RunningProcess) {
    this.port = port;
    this.#shared = shared;
    this.#start = start;
    this.#process = process;
  }

  /** Starts the service on a free port, and waits until it answers. */
  static async start(shared: SharedServers, start: ServiceStart): Promise<ServiceProcess> {
    const port = await freePort();
    const settings: ServiceSettings = {
      mysqlUrl: start.mysqlUrl,
      kafkaBrokers: shared.servers.kafkaBrokers.split(','),
      topic: start.topic,
      port,
      server: start.server,
    };
    const process = await shared.supervisor.start({
      ...script(start.script),
      name: start.name,
      role: 'application',
      environment: { ...globalThis.process.env, ...toEnvironment(settings) },
    });
    const service = new ServiceProcess(shared, start, port, process);
    await service.#untilReady();
    return service;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get pid(): number {
    return this.#process.pid;
  }

  async kill(): Promise<void> {
    signalGroup(this.#process.pid, 'SIGKILL');
    await this.#process.exited;
  }

  async restart(): Promise<void> {
    this.#process = await this.#shared.supervisor.start(this.#process.start);
    await this.#untilReady();
  }

  async #untilReady(): Promise<void> {
    const { untilReady = (process) => untilHealthy(process, `${this.url}/health`) } = this.#start;
    await untilReady(this.#process, this.port);
  }
}
