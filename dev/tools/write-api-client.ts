import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pino } from 'pino';
import { createApp } from '../../api/app.ts';
import { createDependencies } from '../../api/dependencies.ts';
import { openApiDocuments } from '../../api/openapi.ts';
import { parseApiConfiguration } from '../../api/settings.ts';
import { runProcess } from '../../platform/config/run-process.ts';
import { print } from '../../platform/text/print.ts';
import { PROJECT_FOLDER } from '../environment/paths.ts';
import { apiClientFiles, GENERATED_FOLDER } from './api-client-files.ts';

/* `npm run api-client`: writes the types of the API client anew, from the routes as they are. It needs no servers. */

/** Nothing listens there: the routes are only described. */
const NOWHERE = {
  MYSQL_URL: 'mysql://nobody@127.0.0.1:9/nothing',
  TEMPORAL_ADDRESS: '127.0.0.1:9',
  KAFKA_BROKERS: '127.0.0.1:9',
  ADMIN_TOKEN: 'not-used-by-anybody',
};

async function main(): Promise<void> {
  const logger = pino({ level: 'silent' });
  const { dependencies, close } = await createDependencies(parseApiConfiguration(NOWHERE), logger);
  const documents = openApiDocuments(createApp(dependencies));
  await close();
  const files = await apiClientFiles({
    forCustomers: JSON.stringify(documents.forCustomers),
    forOperators: JSON.stringify(documents.forOperators),
  });
  const folder = join(PROJECT_FOLDER, GENERATED_FOLDER);
  await mkdir(folder, { recursive: true });
  for (const [name, text] of files) await writeFile(join(folder, name), text);
  print(`${files.size} files written to ${GENERATED_FOLDER}`);
}

runProcess(main);
