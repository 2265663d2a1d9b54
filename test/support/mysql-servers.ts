import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEV_FOLDER } from '../../dev/environment/paths.ts';
import { choosePorts } from '../../dev/environment/ports.ts';
import { ProcessSupervisor } from '../../dev/environment/processes.ts';
import { cacheFolder } from '../../dev/environment/servers/cache.ts';
import { cachedDebianMysql, startDebianMysql } from '../../dev/environment/servers/debian-mysql.ts';
import { hasMariadb, startMysql } from '../../dev/environment/servers/mysql.ts';

/** The products that the tests of the database's modes and rights run on. */
export const PRODUCTS = ['MariaDB', 'MySQL'] as const;
export type Product = (typeof PRODUCTS)[number];

/** A database server of a test file alone, whose settings it may change. */
export interface PrivateServer {
  /** With a user who may do everything, also change the server's global variables and make users. */
  url: string;
  close(): Promise<void>;
}

/** Whether a product can be started here; what is missing has been named when the run began. */
export async function isAvailable(product: Product): Promise<boolean> {
  return product === 'MySQL' ? (await cachedDebianMysql(process.env)) !== null : hasMariadb(cacheFolder(process.env));
}

/** Starts a server on empty data. The caller closes it. */
export async function startPrivateServer(product: Product): Promise<PrivateServer> {
  const folder = await mkdtemp(join(tmpdir(), 'reserved-ip-database-'));
  const supervisor = new ProcessSupervisor({
    folder: join(DEV_FOLDER, 'test', `database-${randomBytes(4).toString('hex')}`),
  });
  const close = async () => {
    await supervisor.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const start = product === 'MySQL' ? startDebianMysql : startMysql;
    const { url } = await start({
      ...{ supervisor, dataFolder: folder, cacheFolder: cacheFolder(process.env), environment: process.env },
      ports: await choosePorts('free', process.env),
      report: () => {},
      maven: () => Promise.reject(new Error('the server is in the cache since the run began')),
      mysqlInitSql: "GRANT ALL PRIVILEGES ON *.* TO 'reserved_ip'@'127.0.0.1' WITH GRANT OPTION;\n",
    });
    return { url, close };
  } catch (error) {
    await close();
    throw error;
  }
}
