import { afterAll, beforeAll, describe, test } from 'vitest';
import { listRuns, runInScenes } from './run-case.ts';
import { startUpstreams, type Upstreams } from './upstreams.ts';

/*
 * The cases in which something is changed. Each has scenes of its own.
 */

const { changing } = await listRuns();

let upstreams: Upstreams;

beforeAll(async () => {
  upstreams = await startUpstreams();
});

afterAll(() => upstreams.close());

describe('both upstreams answer alike', () => {
  for (const run of changing) test(run.title, () => runInScenes(run, upstreams));
});
