import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { print, printUncaughtErrors } from '../../platform/text/print.ts';
import { ProcessSupervisor } from '../environment/processes.ts';
import { DIGESTS_FOLDER, digestOf } from '../environment/servers/digests.ts';
import { downloadKafka, KAFKA_DOWNLOAD } from '../environment/servers/kafka.ts';
import { makeMaven } from '../environment/servers/maven.ts';
import { BASE_IN_ARTIFACT, downloadMariadb, MARIADB_DOWNLOAD, MARIADB_JAR } from '../environment/servers/mysql.ts';

/*
 * Downloads Kafka and MariaDB anew and writes down what they are. For whoever raises a version: what is written here is
 * believed by everybody else.
 */

printUncaughtErrors();

const PROGRAMS = ['bin', 'scripts'];

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
} finally {
  await rm(folder, { recursive: true, force: true });
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
