import { UnsafeDatabaseError } from '../../db/unsafe-database.ts';
import { describeError, printError, printUncaughtErrors } from '../text/print.ts';
import { ConfigurationError } from './settings.ts';

/**
 * Runs a process to its end, with code 0, or 1 when `main` fails. Configuration and a database that cannot be used are
 * said by their message alone, every other error with its stack.
 */
export function runProcess(main: () => Promise<void>): void {
  printUncaughtErrors();
  main().then(
    () => process.exit(0),
    (error: unknown) => {
      const isPlain = error instanceof ConfigurationError || error instanceof UnsafeDatabaseError;
      printError(isPlain ? error.message : describeError(error));
      process.exit(1);
    },
  );
}
