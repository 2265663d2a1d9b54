import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PROJECT_FOLDER } from '../../environment/paths.ts';
import type { ProcessSupervisor } from '../../environment/processes.ts';
import type { EnginePrograms } from './engine-packages.ts';

const execute = promisify(execFile);
const TIMEOUT_MS = 60_000;
const LARGEST_OUTPUT = 64 * 1024 * 1024;

/** The command `docker`, at work on one engine. */
export class Docker {
  readonly #supervisor: ProcessSupervisor;
  readonly #environment: NodeJS.ProcessEnv;
  readonly #command: string;

  private constructor(supervisor: ProcessSupervisor, command: string, environment: NodeJS.ProcessEnv) {
    this.#supervisor = supervisor;
    this.#command = command;
    this.#environment = environment;
  }

  /** The command of a folder of programs, with a configuration of its own, for the engine that listens on a socket. */
  static async configure(
    supervisor: ProcessSupervisor,
    programs: EnginePrograms,
    { socket, configurationFolder }: { socket: string; configurationFolder: string },
  ): Promise<Docker> {
    await mkdir(configurationFolder, { recursive: true });
    const settings = { cliPluginsExtraDirs: [join(programs.folder, 'usr/libexec/docker/cli-plugins')] };
    await writeFile(join(configurationFolder, 'config.json'), JSON.stringify(settings));
    return new Docker(supervisor, join(programs.folder, 'usr/bin/docker'), {
      // Nothing else of this process's environment: the file's own defaults are what is tried.
      ...{ HOME: configurationFolder, PATH: programs.environment.PATH, COMPOSE_ENV_FILES: '/dev/null' },
      DOCKER_HOST: `unix://${socket}`,
      DOCKER_CONFIG: configurationFolder,
      BUILDKIT_PROGRESS: 'plain',
      COMPOSE_PROGRESS: 'plain',
    });
  }

  /**
   * Runs a command that takes its time; what it prints is in the log of this name.
   *
   * @throws {ProcessFailedError} with the end of the log.
   */
  async run(name: string, ...dockerArguments: readonly string[]): Promise<void> {
    await this.#supervisor.run({
      name,
      role: 'tool',
      command: this.#command,
      arguments: dockerArguments,
      workingFolder: PROJECT_FOLDER,
      environment: this.#environment,
    });
  }

  /**
   * Answers what a short command printed.
   *
   * @throws with what it complained of.
   */
  async output(...dockerArguments: readonly string[]): Promise<string> {
    const { stdout } = await execute(this.#command, [...dockerArguments], {
      cwd: PROJECT_FOLDER,
      env: this.#environment,
      timeout: TIMEOUT_MS,
      maxBuffer: LARGEST_OUTPUT,
    });
    return stdout.trim();
  }
}
