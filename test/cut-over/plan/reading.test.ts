import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readListings } from '../../support/listings.ts';
import { listRuns, runInScene } from './run-case.ts';
import type { SceneName } from './scene-names.ts';
import { makeScene, type Scene } from './scenes.ts';
import { startUpstreams, UPSTREAM_NAMES, type UpstreamName, type Upstreams } from './upstreams.ts';

/*
 * The cases that change nothing, because they read or are rejected. They share their scenes; of each there are two, one
 * made by each upstream.
 */

const { reading } = await listRuns();

interface SharedScene {
  scene: Scene;
  before: unknown;
}

let upstreams: Upstreams;
const scenes = new Map<string, Promise<SharedScene>>();

beforeAll(async () => {
  upstreams = await startUpstreams();
});

afterAll(() => upstreams.close());

function sceneBy(maker: UpstreamName, name: SceneName): Promise<SharedScene> {
  const key = `${name}, made by ${maker}`;
  const known = scenes.get(key);
  if (known) return known;
  const making = makeScene(upstreams.stages[maker], name).then(async (scene) => ({
    scene,
    before: await readListings(scene.account),
  }));
  scenes.set(key, making);
  return making;
}

describe('both upstreams answer alike', () => {
  for (const run of reading) {
    test(run.title, async () => {
      const both = await Promise.all(UPSTREAM_NAMES.map((maker) => sceneBy(maker, run.planned.scene)));
      for (const { scene } of both) await runInScene(run, upstreams, scene);
    });
  }

  test('and none of these requests has changed anything', async () => {
    for (const [name, making] of scenes) {
      const { scene, before } = await making;
      expect(await readListings(scene.account), name).toEqual(before);
    }
  });
});
