import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { PROJECT_FOLDER } from '../../dev/environment/paths.ts';
import { HISTORIES_FOLDER } from '../support/recorded-histories.ts';

/*
 * `npm run histories:record`: runs the tests that take operations through all their outcomes, on real servers, and keeps
 * one history of each course that a workflow took. To be run when workflows change, and then looked at: a history that no
 * longer replays is an operation that would break during a deploy.
 */

const SCENARIOS = [
  'test/operations',
  'test/invariants/fence.test.ts',
  'test/invariants/durability.test.ts',
  'test/billing/outage.test.ts',
  'test/hosts/acknowledgments.test.ts',
  'test/operators',
  'test/sdk/decision-first.test.ts',
];

const { status } = spawnSync(process.execPath, [join(PROJECT_FOLDER, 'test/run.ts'), ...SCENARIOS], {
  stdio: 'inherit',
  env: { ...process.env, RECORD_HISTORIES: 'true' },
});
if (status === 0) console.log(`The histories are in ${HISTORIES_FOLDER}.`);
process.exitCode = status ?? 1;
