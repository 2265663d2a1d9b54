import { ApplicationFailure } from '@temporalio/common';
import { BillingUnavailableError } from '../billing/publisher.ts';
import { isDatabaseUnavailable } from '../db/bounded.ts';
import { FinalStepError } from '../db/operations/errors.ts';
import { BILLING_UNAVAILABLE, DATABASE_UNAVAILABLE } from '../domain/names.ts';
import { plainLine } from '../platform/text/visible.ts';

/**
 * Runs a step. When it fails, the first line of the failure tells operators why, or what to do. A step that may not write
 * fails for good; every other failure is retried.
 */
export async function failingReadably<Result>(step: () => Promise<Result>): Promise<Result> {
  try {
    return await step();
  } catch (error) {
    if (error instanceof FinalStepError) throw ApplicationFailure.nonRetryable(error.message, error.type);
    if (error instanceof BillingUnavailableError) throw awaiting('Kafka', BILLING_UNAVAILABLE, error);
    if (error instanceof Error && isDatabaseUnavailable(error)) throw awaiting('MySQL', DATABASE_UNAVAILABLE, error);
    throw error;
  }
}

/** `details` has the server's own words by themselves. */
function awaiting(server: string, type: string, cause: Error): ApplicationFailure {
  const words = plainLine(cause.message);
  const message = `Waiting for ${server}; resumes by itself: ${words}`;
  return ApplicationFailure.create({ message, type, details: [words], cause });
}
