import { freePort } from '../../environment/ports.ts';
import type { RunningProcess } from '../../environment/processes.ts';
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

  private constructor(shared: SharedServers, start: ServiceStart, port: number) {
    this.port = port;
    this.#shared = shared;
    this.#start = start;
  }

  /** Starts the service on a free port, and waits until it answers. */
  static async start(shared: SharedServers, start: ServiceStart): Promise<ServiceProcess> {
    const port = await freePort();
    const settings: ServiceSettings = {
      mysqlUrl: start.mysqlUrl,
      kafkaBrokers: shared.environment.servers.kafkaBrokers.split(','),
      topic: start.topic,
      port,
      server: start.server,
    };
    await shared.environment.startScript(start.name, start.script, { settings: toEnvironment(settings) });
    const service = new ServiceProcess(shared, start, port);
    await service.#untilReady();
    return service;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get pid(): number {
    return this.#shared.environment.supervisor.find(this.#start.name).pid;
  }

  kill(): Promise<void> {
    return this.#shared.environment.supervisor.kill(this.#start.name);
  }

  async restart(): Promise<void> {
    await this.#shared.environment.supervisor.startAgain(this.#start.name);
    await this.#untilReady();
  }

  async #untilReady(): Promise<void> {
    const { name, untilReady = (process) => untilHealthy(process, `${this.url}/health`) } = this.#start;
    await untilReady(this.#shared.environment.supervisor.find(name), this.port);
  }
}
