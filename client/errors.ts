/**
 * The operation was not admitted and never will be: Temporal or MySQL did not answer in time.
 * The caller may try again with a new operation.
 */
export class OperationUnavailableError extends Error {
  readonly operationId: string;

  constructor(operationId: string, cause: unknown) {
    super(`operation ${operationId} was not started: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
    this.name = 'OperationUnavailableError';
    this.operationId = operationId;
  }
}

/**
 * It is not known whether the operation was admitted: it may have been started, and nobody who knows its decision
 * answered. The caller repeats the request under the same operation id, or looks at the address.
 */
export class OperationInDoubtError extends Error {
  readonly operationId: string;

  constructor(operationId: string, cause: unknown) {
    super(`operation ${operationId} may have started: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
    this.name = 'OperationInDoubtError';
    this.operationId = operationId;
  }
}
