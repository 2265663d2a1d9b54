import { defineConfig } from 'vitest/config';

const NEVER = ['**/node_modules/**', 'dist/**', '.dev/**'];
/** Breaks an environment of its own, which two cores carry only when nothing else is going on. */
const FAULTS = 'test/faults/faults.test.ts';
/** Takes Temporal away from an environment of its own, and measures what customers notice. */
const AWAY = 'test/away/away.test.ts';
/** Starts two upstreams of its own. */
const WALK = 'test/cut-over/walk.test.ts';

const options = {
  // kafkajs computes a negative timeout, for which Node 24 warns; nothing is wrong.
  execArgv: ['--disable-warning=TimeoutNegativeWarning'],
  testTimeout: 60_000,
  hookTimeout: 60_000,
};

export default defineConfig({
  test: {
    reporters: ['default', './test/support/slowest-files.ts', './test/support/closing-line.ts'],
    // Two cores carry the servers too; more test processes would only wait for each other.
    maxWorkers: 2,
    projects: [
      {
        test: {
          ...options,
          name: 'behaviour',
          include: ['**/*.test.ts'],
          exclude: [...NEVER, FAULTS, WALK, AWAY],
          globalSetup: ['test/support/global-setup.ts'],
          sequence: { groupOrder: 0 },
        },
      },
      { test: { ...options, name: 'faults', include: [FAULTS], exclude: NEVER, sequence: { groupOrder: 1 } } },
      { test: { ...options, name: 'away', include: [AWAY], exclude: NEVER, sequence: { groupOrder: 3 } } },
      { test: { ...options, name: 'walk', include: [WALK], exclude: NEVER, sequence: { groupOrder: 2 } } },
    ],
  },
});
