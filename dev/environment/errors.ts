import { ReadableError } from '../../platform/text/readable-error.ts';

export { reasonOf as messageOf } from '../../platform/text/readable-error.ts';

/** A failure of what was started here. */
export class StackError extends ReadableError {
  override readonly name: string = 'StackError';
}

/** A child process ended when it should not have, or did not become ready in time. */
export class ProcessFailedError extends StackError {
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
export class StackStoppingError extends StackError {
  override readonly name = 'StackStoppingError';

  constructor() {
    super('the stack is being stopped');
  }
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '    ');
}
