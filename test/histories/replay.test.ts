import { join } from 'node:path';
import { bundleWorkflowCode, DefaultLogger, type ReplayWorkerOptions, Worker } from '@temporalio/worker';
import { pino } from 'pino';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { PROJECT_FOLDER } from '../../dev/environment/paths.ts';
import { installTemporalRuntime } from '../../workers/runtime.ts';
import { type RecordedHistory, readHistories } from '../support/recorded-histories.ts';

/** Names of the histories that a workflow's code cannot replay, with what it says. */
async function failuresOf(
  workflowBundle: NonNullable<ReplayWorkerOptions['workflowBundle']>,
  histories: readonly RecordedHistory[],
): Promise<string[]> {
  const failures: string[] = [];
  for (const { name, workflowId, history } of histories) {
    await Worker.runReplayHistory({ workflowBundle }, history, workflowId).catch((error: unknown) => {
      failures.push(`${name}: ${error}`);
    });
  }
  return failures;
}

describe('histories of operations', () => {
  let histories: RecordedHistory[];
  beforeAll(async () => {
    installTemporalRuntime(pino({ level: 'silent' }));
    histories = await readHistories();
  });

  test('are kept of every workflow and every way in which it can end', () => {
    const ways = new Set(histories.map(({ name }) => name.split('-').slice(0, 2).join(' ')));
    expect([...ways]).toEqual(
      expect.arrayContaining([
        'assign completed',
        'assign failed',
        'publishBillingEvent completed',
        'release completed',
        'reserve completed',
        'reserve failed',
        'unassign completed',
        'unassign failed',
      ]),
    );
  });

  test('replay on the workflows as they are now', async () => {
    expect(await failuresOf({ codePath: inject('environment').workflowBundle }, histories)).toEqual([]);
  });

  test('do not replay on a workflow that leaves out a step', async () => {
    const workflowsPath = join(PROJECT_FOLDER, 'test/histories/broken-workflows.ts');
    const broken = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('ERROR') });
    const assigns = histories.filter(({ name }) => name.startsWith('assign-completed'));
    const failures = await failuresOf(broken, assigns);
    expect(failures.length).toBeGreaterThan(0);
    expect(failures.join('\n')).toContain('Nondeterminism');
  });
});
