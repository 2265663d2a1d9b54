import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['**/*.test.ts'],
    exclude: ['node_modules/**', 'dist/**', '.stack/**'],
    globalSetup: ['test/support/global-setup.ts'],
    reporters: ['default', './test/support/closing-line.ts'],
    // kafkajs computes a negative timeout, for which Node 24 warns; nothing is wrong.
    execArgv: ['--disable-warning=TimeoutNegativeWarning'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Two cores carry the servers too; more test processes would only wait for each other.
    maxWorkers: 2,
  },
});
