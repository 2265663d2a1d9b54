import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { PROJECT_FOLDER } from '../../environment/paths.ts';
import { readJsonLines } from '../../kit/json-lines.ts';
import { until } from '../../kit/until.ts';
import type { BedEnvironment } from '../bed-environment.ts';
import type { PlacedDroplet, Population, RegisteredHost } from '../population.ts';
import type { Testbed } from '../topology.ts';
import { type ClientRequest, requestSchema, type WatchTimes } from './measurement.ts';

const watchEventSchema = z.object({ event: z.string(), at: z.number() });
const watchTimesSchema = z.object({
  detected: z.number(),
  requested: z.number(),
  accepted: z.number(),
  completed: z.number(),
});

/** A balancer on a droplet of its own, with the host that carries it. */
export interface Balancer {
  name: string;
  droplet: PlacedDroplet;
  registered: RegisteredHost;
}

type SceneEnvironment = Pick<BedEnvironment, 'bed' | 'population' | 'killTemporal'>;

/** Two load balancers on two hosts, one of which holds the reserved IP. */
export class Scene {
  readonly bed: Testbed;
  readonly population: Population;
  readonly active: Balancer;
  readonly standby: Balancer;
  /** Kills Temporal; the answered function starts it again. */
  readonly killTemporal: BedEnvironment['killTemporal'];
  address = '';
  #run = 0;

  constructor({ bed, population, killTemporal }: SceneEnvironment) {
    this.bed = bed;
    this.population = population;
    this.killTemporal = killTemporal;
    const [active, standby] = population.registered.map((registered, index): Balancer => {
      const droplet = population.droplets.find(({ host }) => host === registered.host);
      if (!droplet) throw new Error(`${registered.name} has no droplet`);
      return { name: `balancer-${index + 1}`, droplet, registered };
    });
    if (!active || !standby) throw new Error('two hosts are needed');
    this.active = active;
    this.standby = standby;
  }

  /** Starts the balancers and reserves the address. */
  async setUp(): Promise<void> {
    for (const balancer of [this.active, this.standby]) await this.serve(balancer);
    this.address = await this.population.account.reserve(this.population.region);
  }

  /** Runs HAProxy in a balancer's droplet. */
  async serve({ name, droplet }: Balancer): Promise<void> {
    const file = join(this.bed.folder, `${name}.cfg`);
    await writeFile(file, balancerConfiguration(name));
    this.namespaceOf(droplet).spawn('haproxy', ['-db', '-f', file], { logFile: join(this.bed.folder, `${name}.log`) });
  }

  namespaceOf(droplet: PlacedDroplet) {
    const found = droplet.host.droplets.find((candidate) => candidate.droplet.id === droplet.id);
    if (!found) throw new Error(`${droplet.name} is gone`);
    return found.namespace;
  }

  /** Puts the address on the active balancer, and waits until the client sees it answer. */
  async assignToActive(): Promise<void> {
    const { id } = this.active.droplet;
    const { account } = this.population;
    if ((await account.show(this.address)).droplet?.id !== id) await account.assign(this.address, id);
    await until(`${this.active.name} answers`, async () => {
      const answer = await this.bed.client.run('curl', ['-sS', '-m', '1', `http://${this.address}/`]).catch(() => '');
      return answer.trim() === this.active.name;
    });
  }

  /** Starts the client's requests and the customer's script. */
  startWatching(): Watching {
    const run = ++this.#run;
    const files = {
      requests: join(this.bed.folder, `requests-${run}.jsonl`),
      events: join(this.bed.folder, `watch-${run}.jsonl`),
    };
    const client = this.bed.client.spawn(
      process.execPath,
      [join(PROJECT_FOLDER, 'dev/testbed/failover/requests.ts'), `http://${this.address}/`],
      { logFile: files.requests },
    );
    const script = this.bed.client.spawn(join(PROJECT_FOLDER, 'dev/testbed/failover/watch.sh'), [], {
      logFile: files.events,
      environment: {
        PATH: process.env.PATH,
        API_URL: this.population.bedApiUrl,
        API_TOKEN: this.population.account.token,
        RESERVED_IP: this.address,
        STANDBY_DROPLET: String(this.standby.droplet.id),
      },
    });
    return {
      completed: async () => {
        await until('the script has moved the address', async () => script.exitCode !== null, 60_000);
        const events = await readJsonLines(watchEventSchema, files.events);
        return watchTimesSchema.parse(Object.fromEntries(events.map(({ event, at }) => [event, at])));
      },
      stop: async () => {
        client.kill('SIGTERM');
        await until('the client has stopped', async () => client.exitCode !== null);
        return readJsonLines(requestSchema, files.requests);
      },
    };
  }
}

/** A client and a script at work. */
export interface Watching {
  /** Resolves when the script has moved the address. */
  completed(): Promise<WatchTimes>;
  /** Ends the client; resolves with all that it asked. */
  stop(): Promise<ClientRequest[]>;
}

/** A balancer that says which one it is. */
function balancerConfiguration(name: string): string {
  return `
defaults
  mode http
  timeout connect 1s
  timeout client 5s
  timeout server 5s
frontend public
  bind :::80 v4v6
  http-request return status 200 content-type text/plain string "${name}"
`;
}
