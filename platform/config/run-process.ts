import { describeFailure, printError, printedToTheEnd, printUncaughtErrors } from '../text/print.ts';

/**
 * Runs a process to its end: with code 0, unless `main` has set another one, or with 1 when it fails. A failure that
 * says what to do is printed by its message alone, every other one with its stack.
 */
export function runProcess(main: () => Promise<void>): void {
  printUncaughtErrors();
  main()
    .catch((error: unknown) => {
      printError(describeFailure(error));
      process.exitCode = 1;
    })
    .then(printedToTheEnd)
    .then(() => process.exit());
}
