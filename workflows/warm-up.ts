import { proxyLocalActivities, setWorkflowOptions } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import { endsOnItsBuild } from './build.ts';

setWorkflowOptions(endsOnItsBuild, warmUp);

const { warmUp: prepare } = proxyLocalActivities<Activities>({
  startToCloseTimeout: '10 seconds',
  retry: { maximumAttempts: 1 },
});

/**
 * Takes the way of an operation through a worker and changes nothing: so that what a process does only once, when it does
 * something for the first time, is done before a customer waits for it.
 */
export async function warmUp(): Promise<void> {
  await prepare();
}
