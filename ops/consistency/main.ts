import { openDatabase, requireDatabase } from '../../db/database.ts';
import { runProcess } from '../../platform/config/run-process.ts';
import { ENVIRONMENT_FILE, readEnvironmentFile } from '../../platform/env-file.ts';
import { createLogger } from '../../platform/logging/logger.ts';
import { openTemporalClient, requireTemporal } from '../../platform/temporal/connection.ts';
import { print } from '../../platform/text/print.ts';
import { checkConsistency } from './check.ts';
import { parseConsistencyCheckConfiguration } from './settings.ts';
import { describeViolation } from './violation.ts';

async function main(): Promise<void> {
  const configuration = parseConsistencyCheckConfiguration({
    ...(await readEnvironmentFile(ENVIRONMENT_FILE)),
    ...process.env,
  });
  const temporal = openTemporalClient(configuration.temporal);
  const db = openDatabase({ ...configuration.mysql, poolSize: 8 });
  try {
    await requireDatabase(db, configuration.mysql);
    await requireTemporal(temporal, configuration.temporal);
    const violations = await checkConsistency({
      db,
      temporal,
      kafka: configuration.kafka,
      logger: createLogger({ name: 'consistency', level: configuration.LOG_LEVEL }),
    });
    for (const violation of violations) print(describeViolation(violation));
    print(`${violations.length} violations`);
    process.exitCode = violations.length === 0 ? 0 : 1;
  } finally {
    await db.destroy();
    await temporal.connection.close();
  }
}

runProcess(main);
