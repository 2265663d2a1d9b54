import { EnvironmentError } from '../errors.ts';
import type { MysqlServer } from './database-access.ts';
import { fetchDebianMysql, startDebianMysql } from './debian-mysql.ts';
import { fetchMysql, mysqlToolNeeds, startMysql } from './mysql.ts';
import type { FetchContext, ServerContext } from './options.ts';
import type { ToolNeed } from './tools.ts';

/** The products that can be the database: `mariadb` from Maven's archive, `mysql` from Debian's packages. */
const PRODUCTS = ['mariadb', 'mysql'] as const;
/** One of them. */
export type DatabaseProduct = (typeof PRODUCTS)[number];

/**
 * Which product the environment asks for by `DATABASE_PRODUCT`; MariaDB when it does not.
 *
 * @throws {EnvironmentError} when the variable names none of them.
 */
export function databaseProduct({ DATABASE_PRODUCT: name }: NodeJS.ProcessEnv): DatabaseProduct {
  if (name === undefined || name === '') return 'mariadb';
  const product = PRODUCTS.find((known) => known === name);
  if (product === undefined)
    throw new EnvironmentError(`DATABASE_PRODUCT=${name} is neither of ${PRODUCTS.join(', ')}.`);
  return product;
}

/** What is needed on this machine to have the database that the environment asks for. */
export async function databaseToolNeeds(cacheFolder: string, environment: NodeJS.ProcessEnv): Promise<ToolNeed[]> {
  // MySQL's own fetching says what it lacks: apt and a Debian mirror, which are no tools to be installed.
  return databaseProduct(environment) === 'mysql' ? [] : mysqlToolNeeds(cacheFolder);
}

/** Downloads the database that the environment asks for, unless it is in the cache. */
export async function fetchDatabase(context: FetchContext): Promise<void> {
  if (databaseProduct(context.environment) === 'mysql') await fetchDebianMysql(context);
  else await fetchMysql(context);
}

/** Starts the database that the environment asks for. Each product has a data folder of its own. */
export function startDatabase(context: ServerContext): Promise<MysqlServer> {
  return databaseProduct(context.environment) === 'mysql' ? startDebianMysql(context) : startMysql(context);
}
