import { z } from 'zod';
import { type Account, readAction, readAddress, readReserved } from '../../../dev/kit/account.ts';
import { expectAnswer } from '../../../dev/kit/http.ts';
import type { ManualHost } from '../../../dev/kit/manual-host.ts';
import { until } from '../../../dev/kit/until.ts';
import { resourceIdOf } from '../../support/expected.ts';
import { createWorld, type World, type WorldOptions } from '../../support/world.ts';
import type { SceneName } from './scene-names.ts';

/** A scene that was made, and what its parts are called. */
export interface Scene {
  account: Account;
  /** A region of it. */
  world: World;
  names: Record<string, string | number>;
}

/** Where the scenes of one upstream take place. Two upstreams that reserve in one region get into each other's way. */
export interface Stage {
  /** Base URL of the upstream that makes them. */
  makerUrl: string;
  /** A region whose hosts answer at once. */
  near: World;
  /** Another such region. */
  far: World;
  /** A region whose host says what the scene wants, and when. */
  silent: World;
  /** Base URL of the legacy upstream. */
  legacyUrl: string;
  /** A region for one scene. */
  region(options: WorldOptions): Promise<World>;
  close(): Promise<void>;
}

/** Sets a stage; its caller closes it. */
export async function setStage(makerUrl: string, legacyUrl: string): Promise<Stage> {
  const worlds: World[] = [];
  async function region(options: WorldOptions): Promise<World> {
    const world = await createWorld(options);
    worlds.push(world);
    return world;
  }
  return {
    near: await region({ agents: 2, prefixLength: 22, ipv6PrefixLength: 120 }),
    far: await region({ agents: 1 }),
    silent: await region({ agents: 0, manualHosts: 1 }),
    makerUrl,
    legacyUrl,
    region,
    close: () => Promise.all(worlds.map((world) => world.close())).then(() => {}),
  };
}

/** Makes a scene, with everything in it. */
export async function makeScene(stage: Stage, name: SceneName): Promise<Scene> {
  const { near, makerUrl } = stage;
  const account = await near.account({ reservedIpLimit: name === 'the limit reached' ? 1 : 100 });
  const making = MAKERS[name]({ stage, account, maker: account.at(makerUrl) });
  const names = await making.catch((error: unknown) => {
    throw new Error(`at ${makerUrl} there could not be made: ${name}`, { cause: error });
  });
  const { ip } = names;
  const written =
    typeof ip === 'string' && !ip.includes(':')
      ? { ip_escaped: ip.replaceAll('.', '%2E'), ip_number: resourceIdOf(ip) }
      : {};
  return { account, world: near, names: { region: near.region, other_region: stage.far.region, ...written, ...names } };
}

interface Making {
  stage: Stage;
  /** At the new upstream, which knows droplets and the end of actions. */
  account: Account;
  /** The same at the upstream that makes the scene. */
  maker: Account;
}
type Names = Record<string, string | number>;

const MAKERS: Record<SceneName, (making: Making) => Promise<Names>> = {
  nothing: ({ stage, account }) => withDroplet(stage.near, account),

  'a reserved address': async ({ stage, account, maker }) => ({
    ...(await withDroplet(stage.near, account)),
    ...(await reserved(maker, stage.near)),
  }),

  'a reserved address of a project': async ({ stage, account, maker }) => {
    const project = '4de7ac8b-495b-4884-9a69-1050c6793cd6';
    const ip = readAddress(
      await maker.http.post('/v2/reserved_ips', { region: stage.near.region, project_id: project }),
    );
    return { ...(await withDroplet(stage.near, account)), ip, project };
  },

  'an assigned address': ({ stage, account, maker }) => assigned(stage.near, account, maker),

  'an unassigned address': async ({ stage, account, maker }) => {
    const names = await assigned(stage.near, account, maker);
    const { id } = await account.completed(await maker.startUnassign(names.ip));
    return { ...names, action: id };
  },

  'an address with a pending event': async ({ stage, account }) => {
    const [droplet = 0, other_droplet = 0] = await stage.silent.droplets(account, 2);
    const { ip } = await reserved(account, stage.silent);
    const { id: action } = await pending(stage, account, ip, droplet);
    return { ip, droplet, other_droplet, action, region: stage.silent.region };
  },

  'an address that is being moved': async ({ stage, account, maker }) => {
    const names = await assignedSilently(stage.silent, account, maker);
    const [other_droplet = 0] = await stage.silent.droplets(account, 1);
    const { id: action } = await pending(stage, account, names.ip, other_droplet);
    return { ...names, other_droplet, action };
  },

  'an address whose assign failed': async ({ stage, account, maker }) => {
    const { silent } = stage;
    const [droplet = 0] = await silent.droplets(account, 1);
    const { ip } = await reserved(maker, silent);
    const started = await maker.startAssign(ip, droplet);
    await rejectAttach(hostOf(silent), ip, async () => (await account.action(started.id)).status === 'errored');
    return { ip, droplet, action: started.id, region: silent.region };
  },

  'a droplet with a pending event': async ({ stage, account, maker }) => {
    const [droplet = 0] = await stage.silent.droplets(account, 1);
    const { ip: other_ip } = await reserved(account, stage.silent);
    await pending(stage, account, other_ip, droplet);
    return { ...(await reserved(maker, stage.silent)), droplet, other_ip, region: stage.silent.region };
  },

  'a droplet with another address': async ({ stage, account, maker }) => {
    const { ip: other_ip, ...names } = await assigned(stage.near, account, maker);
    return { ...names, ...(await reserved(maker, stage.near)), other_ip };
  },

  'a droplet on a gone host': async ({ stage, account, maker }) => {
    const world = await stage.region({ agents: 0, manualHosts: 1, prefixLength: 28 });
    const names = { ...(await withDroplet(world, account)), ...(await reserved(maker, world)) };
    await declareGone(world);
    return { ...names, region: world.region };
  },

  'an address on a gone host': async ({ stage, account, maker }) => {
    const world = await stage.region({ agents: 0, manualHosts: 1, prefixLength: 28 });
    const names = await assignedSilently(world, account, maker);
    await declareGone(world);
    return names;
  },

  'a droplet in another region': async ({ stage, account, maker }) => ({
    ...(await withDroplet(stage.far, account)),
    ...(await reserved(maker, stage.near)),
  }),

  'a droplet of another account': async ({ stage, maker }) => {
    const other = await stage.near.account();
    return { ...(await withDroplet(stage.near, other)), ...(await reserved(maker, stage.near)) };
  },

  'a destroyed droplet': async ({ stage, account, maker }) => {
    const names = { ...(await withDroplet(stage.near, account)), ...(await reserved(maker, stage.near)) };
    expectAnswer(await account.http.delete(`/v2/droplets/${names.droplet}`), 204, z.undefined());
    return names;
  },

  'an address of another account': async ({ stage, account, maker }) => {
    const other = (await stage.near.account()).at(maker.http.baseUrl);
    return { ...(await withDroplet(stage.near, account)), ...(await reserved(other, stage.near)) };
  },

  'a released address': async ({ stage, account, maker }) => {
    const names = { ...(await withDroplet(stage.near, account)), ...(await reserved(maker, stage.near)) };
    await maker.release(names.ip);
    return names;
  },

  'an address being released': async ({ stage, account, maker }) => {
    const names = await assignedSilently(stage.silent, account, maker);
    await maker.release(names.ip);
    return names;
  },

  'a free address': async ({ stage, account }) => {
    const { cidr } = await stage.region({ agents: 0, prefixLength: 30 });
    const [network = ''] = cidr.split('/');
    const ip = network.replace(/\d+$/, (octet) => String(Number(octet) + 1));
    return { ...(await withDroplet(stage.near, account)), ip };
  },

  'two addresses': async ({ stage, maker }) => {
    const first = await reserved(maker, stage.near);
    const { ip: other_ip, action: other_action } = await reserved(maker, stage.near);
    return { ...first, other_ip, other_action };
  },

  'the limit reached': async ({ stage, account, maker }) => ({
    ...(await withDroplet(stage.near, account)),
    ...(await reserved(maker, stage.near)),
  }),

  'the pool exhausted': async ({ stage, account, maker }) => {
    const world = await stage.region({ agents: 0, manualHosts: 1, prefixLength: 30 });
    const { ip } = await reserved(maker, world);
    await reserved(maker, world);
    return { ...(await withDroplet(world, account)), ip, region: world.region };
  },

  'many addresses': async ({ stage, maker }) => {
    const first = await reserved(maker, stage.near);
    for (let count = 1; count < 25; count++) await reserved(maker, stage.near);
    return first;
  },

  'an address with a history': async ({ stage, account, maker }) => {
    const { ip, droplet } = await assigned(stage.near, account, maker);
    await account.completed(await maker.startUnassign(ip));
    await account.completed(await maker.startAssign(ip, droplet));
    const { id: action } = await account.completed(await maker.startUnassign(ip));
    return { ip, droplet, action };
  },

  'an IPv6 address': async ({ stage, account }) => ({
    ...(await withDroplet(stage.near, account)),
    ip: await account.reserveIpv6(stage.near.region),
  }),
};

async function withDroplet(world: World, account: Account): Promise<{ droplet: number }> {
  const [droplet = 0] = await world.droplets(account, 1);
  return { droplet };
}

async function reserved(maker: Account, { region }: World): Promise<{ ip: string; action: number }> {
  const ip = await maker.reserve(region);
  const listed = await maker.http.get(`/v2/reserved_ips/${ip}/actions`);
  const schema = z.object({ actions: z.tuple([z.object({ id: z.int() })], z.unknown()) });
  return { ip, action: expectAnswer(listed, 200, schema).actions[0].id };
}

async function assigned(world: World, account: Account, maker: Account) {
  const [droplet = 0, other_droplet = 0] = await world.droplets(account, 2);
  const { ip, actionId } = readReserved(await maker.http.post('/v2/reserved_ips', { droplet_id: droplet }));
  await account.completed({ id: actionId });
  return { ip, droplet, other_droplet, action: actionId };
}

/** An address on a droplet of a host that answers to this assign and to nothing else. */
async function assignedSilently(world: World, account: Account, maker: Account) {
  const [droplet = 0] = await world.droplets(account, 1);
  const { ip, actionId } = readReserved(await maker.http.post('/v2/reserved_ips', { droplet_id: droplet }));
  await hostOf(world).confirm(ip, 'attach');
  await account.completed({ id: actionId });
  return { ip, droplet, action: actionId, region: world.region };
}

/**
 * Starts an assign that stays pending. That of the legacy upstream does so for ever; the new upstream would undo its own after
 * a while.
 */
async function pending({ legacyUrl }: Stage, account: Account, ip: string, droplet: number): Promise<{ id: number }> {
  return readAction(await account.at(legacyUrl).requestAssign(ip, droplet));
}

/** Lets an attach fail, and what is asked to undo it succeed, until it is over. */
function rejectAttach(host: ManualHost, ip: string, over: () => Promise<boolean>): Promise<boolean> {
  return until(`an attach of ${ip} had failed`, async () => {
    for (const event of await host.openCommands()) {
      if (event.address === ip) await host.acknowledge(event, event.change === 'attach' ? 'failed' : 'applied');
    }
    return over();
  });
}

function hostOf({ manualHosts: [host] }: World): ManualHost {
  if (!host) throw new Error('the region has no host');
  return host;
}

async function declareGone(world: World): Promise<void> {
  expectAnswer(await world.admin.post(`/internal/v1/hosts/${hostOf(world).name}/gone`), 200, z.unknown());
}
