import type { Scene } from './scene.ts';

/** A way in which the active balancer can be lost. */
export interface FailureCase {
  name: string;
  /** Whether the host that carried it is well, and takes part in the move. */
  hostIsWell: boolean;
  /** Whether it happens while Temporal is dead; by default not. */
  temporalIsDead?: boolean;
  fail(scene: Scene): Promise<void>;
  /** What comes back while the client still watches. */
  comeBack?(scene: Scene): Promise<void>;
  /** Makes everything as it was before. */
  repair(scene: Scene): Promise<void>;
}

/** The balancer's process dies. */
const processKilled: FailureCase = {
  name: 'process killed',
  hostIsWell: true,
  fail: ({ active, namespaceOf }) => namespaceOf(active.droplet).killAll(),
  repair: (scene) => scene.serve(scene.active),
};

/** The droplet is gone with all that it runs; its host is well. */
const dropletKilled: FailureCase = {
  name: 'droplet killed',
  hostIsWell: true,
  fail: ({ active }) => active.droplet.host.removeDroplet(active.droplet.id),
  async repair(scene) {
    await scene.active.droplet.host.addDroplet(scene.active.droplet);
    await scene.serve(scene.active);
  },
};

/** The whole host is gone, with its agent; it never acknowledges anything. */
const hostKilled: FailureCase = {
  name: 'host killed with its agent',
  hostIsWell: false,
  fail: ({ active }) => active.registered.host.powerOff(),
  async repair(scene) {
    const { registered, droplet } = scene.active;
    await registered.host.powerOn();
    await registered.host.addDroplet(droplet);
    await scene.serve(scene.active);
    scene.population.startAgent(registered);
  },
};

/** The host loses its network, keeps all its state, and comes back as if nothing had happened. */
const hostCutOff: FailureCase = {
  name: 'host cut off, and back later',
  hostIsWell: false,
  fail: ({ active }) => active.registered.host.cut(),
  comeBack: ({ active }) => active.registered.host.repair(),
  repair: async () => {},
};

/** How long Temporal is away before it is started again, in milliseconds: longer than the address takes to move. */
const TEMPORAL_AWAY_MS = 2_000;

/** The balancer's process dies while Temporal is dead, which is started again when the address has long moved. */
const temporalDead: FailureCase = {
  name: 'process killed, Temporal dead',
  hostIsWell: true,
  temporalIsDead: true,
  async fail(scene) {
    const restart = await scene.killTemporal();
    await processKilled.fail(scene);
    setTimeout(restart, TEMPORAL_AWAY_MS);
  },
  repair: (scene) => scene.serve(scene.active),
};

export const FAILURE_CASES: readonly FailureCase[] = [
  processKilled,
  dropletKilled,
  hostKilled,
  hostCutOff,
  temporalDead,
];
