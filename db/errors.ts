/** A transaction was to be begun inside another one, whose rollback would not be its own. */
export class NestedTransactionError extends Error {
  constructor() {
    super('a transaction cannot be begun inside another one');
    this.name = 'NestedTransactionError';
  }
}

/**
 * The transaction was to be committed, and whether it was is not known: the answer was lost, or did not come in time.
 * `cause` says which.
 */
export class CommitInDoubtError extends Error {
  constructor(cause: unknown) {
    super('it is not known whether the transaction was committed', { cause });
    this.name = 'CommitInDoubtError';
  }
}

/** A transaction that may tell hosts was given more time than a host would be told within; the code is wrong. */
export class TransactionLimitError extends RangeError {
  readonly limitMs: number;
  readonly longestMs: number;

  constructor(limitMs: number, longestMs: number) {
    super(`a transaction that may tell hosts takes ${longestMs} ms at most, not ${limitMs}`);
    this.name = 'TransactionLimitError';
    this.limitMs = limitMs;
    this.longestMs = longestMs;
  }
}
