import { ApplicationFailure } from '@temporalio/common';
import { SupersededError } from '../db/operations/fence.ts';
import { SUPERSEDED } from '../domain/names.ts';

/** Runs a database step; a superseded run fails for good, everything else may be tried again. */
export async function failWhenSuperseded<Result>(step: () => Promise<Result>): Promise<Result> {
  try {
    return await step();
  } catch (error) {
    if (!(error instanceof SupersededError)) throw error;
    throw ApplicationFailure.nonRetryable(error.message, SUPERSEDED);
  }
}
