import { afterAll, beforeAll, describe, test } from 'vitest';
import { listRuns, runInScenes } from './run-case.ts';
import { type Stacks, startStacks } from './stacks.ts';

/*
 * The cases in which something is changed. Each has scenes of its own.
 */

const { changing } = await listRuns();

let stacks: Stacks;

beforeAll(async () => {
  stacks = await startStacks();
});

afterAll(() => stacks.close());

describe('both stacks answer alike', () => {
  for (const run of changing) test(run.title, () => runInScenes(run, stacks));
});
