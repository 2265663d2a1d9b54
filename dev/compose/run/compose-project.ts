import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { EnvironmentError } from '../../environment/errors.ts';
import type { Docker } from './docker.ts';

const SETTLE_TIMEOUT_MS = 300_000;
const PAUSE_MS = 1000;

const configurationSchema = z.object({
  services: z.record(
    z.string(),
    z.object({
      image: z.string(),
      restart: z.string(),
      build: z.unknown().optional(),
    }),
  ),
});
const containerSchema = z.object({
  ID: z.string(),
  Service: z.string(),
  State: z.string(),
  Health: z.string(),
  ExitCode: z.number(),
});

/** A service of `docker-compose.yml`. */
export interface ComposeService {
  readonly name: string;
  readonly image: string;
  /** Whether its image is built from this project. */
  readonly isBuilt: boolean;
  /** Whether it is to go on running, and not to end with code 0. */
  readonly isLasting: boolean;
}

type Container = z.infer<typeof containerSchema>;

/** The services of `docker-compose.yml` on an engine. */
export class ComposeProject {
  readonly docker: Docker;
  readonly services: readonly ComposeService[];

  private constructor(docker: Docker, services: readonly ComposeService[]) {
    this.docker = docker;
    this.services = services;
  }

  /** Reads which services there are. */
  static async read(docker: Docker): Promise<ComposeProject> {
    const text = await docker.output('compose', 'config', '--format', 'json');
    const { services } = configurationSchema.parse(JSON.parse(text));
    const found = Object.entries(services).map(([name, { image, build, restart }]) => ({
      ...{ name, image, isBuilt: build !== undefined, isLasting: restart === 'unless-stopped' },
    }));
    return new ComposeProject(docker, found);
  }

  get lasting(): readonly ComposeService[] {
    return this.services.filter(({ isLasting }) => isLasting);
  }

  /**
   * Runs a command of `docker compose`; what it prints is in the log of this name.
   *
   * @throws {ProcessFailedError} with the end of the log.
   */
  run(name: string, ...composeArguments: readonly string[]): Promise<void> {
    return this.docker.run(name, 'compose', ...composeArguments);
  }

  /** What a command printed that ran in the container of a service. */
  execute(service: string, ...command: readonly string[]): Promise<string> {
    return this.docker.output('compose', 'exec', '-T', service, ...command);
  }

  /** The containers that there are, those that have ended too. */
  async containers(): Promise<Container[]> {
    const lines = (await this.docker.output('compose', 'ps', '--all', '--format', 'json')).split('\n');
    return lines.filter((line) => line !== '').map((line) => containerSchema.parse(JSON.parse(line)));
  }

  /**
   * Waits until every service runs, and is healthy if it has a check, or has ended with code 0 if that is its task. Answers
   * the names of those with a check.
   *
   * @throws {EnvironmentError} with those that have not got there within five minutes.
   */
  async untilSettled(): Promise<string[]> {
    const deadline = performance.now() + SETTLE_TIMEOUT_MS;
    for (;;) {
      const containers = await this.containers();
      const unsettled = this.services.flatMap((service) => {
        const container = containers.find(({ Service }) => Service === service.name);
        return isSettled(service, container) ? [] : [`${service.name}: ${describe(container)}`];
      });
      if (unsettled.length === 0) return containers.filter(({ Health }) => Health !== '').map(({ Service }) => Service);
      if (performance.now() > deadline) throw new EnvironmentError(`Compose has not settled. ${unsettled.join('; ')}`);
      await sleep(PAUSE_MS);
    }
  }
}

function isSettled({ isLasting }: ComposeService, container: Container | undefined): boolean {
  if (container === undefined) return false;
  const { State, Health, ExitCode } = container;
  return isLasting ? State === 'running' && ['', 'healthy'].includes(Health) : State === 'exited' && ExitCode === 0;
}

function describe(container: Container | undefined): string {
  if (container === undefined) return 'has no container';
  return `${container.State} ${container.Health} (code ${container.ExitCode})`;
}
