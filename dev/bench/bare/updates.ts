import { defineUpdate } from '@temporalio/workflow';

/** Asks a bare workflow for nothing. */
export const answer = defineUpdate<void>('answer');
