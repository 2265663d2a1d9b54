import { parseAuditConfiguration } from '../config/configuration.ts';
import { openDatabase } from '../db/database.ts';
import { UnsafeDatabaseError } from '../db/unsafe-database.ts';
import { createLogger } from '../logging/logger.ts';
import { readEnvironmentFile } from '../stack/env-file.ts';
import { ENVIRONMENT_FILE } from '../stack/paths.ts';
import { openTemporalClient } from '../temporal/connection.ts';
import { print, printError, printUncaughtErrors } from '../text/print.ts';
import { audit } from './audit.ts';
import { describeViolation } from './violation.ts';

printUncaughtErrors();

const configuration = parseAuditConfiguration({
  ...(await readEnvironmentFile(ENVIRONMENT_FILE)),
  ...process.env,
});
const temporal = openTemporalClient(configuration.temporal);
const db = openDatabase({ ...configuration.mysql, poolSize: 8 });
try {
  const violations = await audit({
    db,
    temporal,
    kafka: configuration.kafka,
    logger: createLogger({ name: 'audit', level: configuration.LOG_LEVEL }),
  });
  for (const violation of violations) print(describeViolation(violation));
  print(`${violations.length} violations`);
  process.exitCode = violations.length === 0 ? 0 : 1;
} catch (error) {
  if (!(error instanceof UnsafeDatabaseError)) throw error;
  printError(error.message);
  process.exitCode = 1;
} finally {
  await db.destroy();
  await temporal.connection.close();
}
