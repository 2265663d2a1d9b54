import { ReadableError } from '../../platform/text/readable-error.ts';

export { reasonOf as messageOf } from '../../platform/text/readable-error.ts';

/** A failure of what was started here. */
export class EnvironmentError extends ReadableError {
  override readonly name: string = 'EnvironmentError';
}

/** A child process ended when it should not have, or did not become ready in time. */
export class ProcessFailedError extends EnvironmentError {
  override readonly name = 'ProcessFailedError';
  readonly processName: string;
  readonly logFile: string;

  constructor(processName: string, problem: string, logFile: string, logTail: string) {
    super(`${processName} ${problem}. The end of its log (${logFile}):\n${indent(logTail || '(the log is empty)')}`);
    this.processName = processName;
    this.logFile = logFile;
  }
}

/** Something was asked of the supervisor after it had been told to stop everything. */
export class EnvironmentStoppingError extends EnvironmentError {
  override readonly name = 'EnvironmentStoppingError';

  constructor() {
    super('the environment is being stopped');
  }
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '    ');
}
