import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ProcessSupervisor } from '../processes.ts';

/** What {@link buildWithGo} is to build. */
export interface GoBuild {
  readonly supervisor: ProcessSupervisor;
  readonly environment: NodeJS.ProcessEnv;
  /** Of the step, for its log. */
  readonly name: string;
  /** Holds a `go.mod` and the `go.sum` that pins everything. */
  readonly moduleFolder: string;
  readonly package: string;
  readonly output: string;
}

/**
 * Builds a command from modules whose content is pinned by a `go.sum`: Go refuses what differs, whatever its proxy or its
 * checksum database says. What Go had unpacked before is compared too.
 *
 * @throws {ProcessFailedError} with the end of Go's log, which names the module, what was expected and what was found.
 */
export async function buildWithGo(build: GoBuild): Promise<void> {
  const { supervisor, environment, name, moduleFolder, output } = build;
  const workingFolder = await mkdtemp(join(tmpdir(), 'reserved-ip-go-'));
  const run = (step: string, goArguments: readonly string[]) =>
    supervisor.run({
      name: step,
      role: 'tool',
      command: 'go',
      arguments: goArguments,
      workingFolder,
      environment: { ...environment, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly', GOWORK: 'off' },
    });
  try {
    await cp(moduleFolder, workingFolder, { recursive: true });
    await run(name, ['build', '-o', output, build.package]);
    await run(`${name}-verify`, ['mod', 'verify']);
  } catch (error) {
    await rm(output, { force: true });
    throw error;
  } finally {
    await rm(workingFolder, { recursive: true, force: true });
  }
}
