/**
 * A failure that the person at the terminal can act on: its message is complete, so it is printed without a stack trace.
 */
export class StackError extends Error {
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

/** The message to show for anything that was thrown; Node gives some connection errors an empty message. */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(messageOf).join('; ');
  return error instanceof Error ? error.message || error.name : String(error);
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '    ');
}
