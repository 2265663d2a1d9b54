import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ProcessSupervisor } from '../processes.ts';
import type { Maven } from './options.ts';

/** How Maven is run. */
export interface MavenOptions {
  readonly supervisor: ProcessSupervisor;
  readonly environment: NodeJS.ProcessEnv;
  /** Settings to use in place of the user's own. */
  readonly settingsFile?: string;
}

/** Runs the Maven tasks of one repository one after the other. A download whose checksum is wrong fails, where Maven by itself only warns. */
export function makeMaven({ supervisor, environment, settingsFile }: MavenOptions): Maven {
  const previous = new Map<string, Promise<unknown>>();
  const runMaven: Maven = async (name, repository, mavenArguments) => {
    // Maven leaves bookkeeping in the folder where it runs.
    const workingFolder = await mkdtemp(join(tmpdir(), 'reserved-ip-maven-'));
    try {
      await supervisor.run({
        name,
        role: 'tool',
        command: 'mvn',
        arguments: [
          ...['-B', '--strict-checksums', `-Dmaven.repo.local=${repository}`],
          ...(settingsFile === undefined ? [] : ['-s', settingsFile]),
          ...mavenArguments,
        ],
        workingFolder,
        environment,
      });
    } finally {
      await rm(workingFolder, { recursive: true, force: true });
    }
  };
  return (label, repository, mavenArguments) => {
    const turn = (previous.get(repository) ?? Promise.resolve()).then(() =>
      runMaven(label, repository, mavenArguments),
    );
    previous.set(
      repository,
      turn.catch(() => undefined),
    );
    return turn;
  };
}
