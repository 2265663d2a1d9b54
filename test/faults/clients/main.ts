import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type SeededRandom, seededRandom } from '../../support/random.ts';
import { type ClientConfiguration, type ClientRecord, clientConfigurationSchema, now, type Outcome } from './record.ts';
import { type ChangeRequest, Requests, released, reserved, started } from './requests.ts';

/*
 * A customer's process: several lanes of mixed requests on the account's addresses, which other processes change too. It
 * writes down what it asked and was told, and ends at SIGTERM when its requests are answered.
 */

/** How long an action is followed before the lane goes on without its end. */
const FOLLOW_MS = 20_000;
const LONGEST_THOUGHT_MS = 60;
const POLL_MS = 80;

const configuration = clientConfigurationSchema.parse(JSON.parse(process.argv[2] ?? ''));
let stopping = false;
process.once('SIGTERM', () => {
  stopping = true;
});
await Promise.all(
  Array.from({ length: configuration.lanes }, (_, lane) => runLane(configuration, configuration.firstClient + lane)),
);

type Request = ClientRecord['request'];

async function runLane({ seed, account, region, apiUrls, recordsFile }: ClientConfiguration, client: number) {
  const random = seededRandom(seed + 7_919 * client);
  const requests = new Requests(apiUrls, account.token, random);
  const known = new Set<string>();

  async function recorded(request: Request, ask: () => Promise<Outcome | null>): Promise<Outcome | null> {
    const call = now();
    const outcome = await ask();
    if (outcome === null) return null;
    const record: ClientRecord = { client, account: account.id, call, return: now(), request, outcome };
    appendFileSync(recordsFile, `${JSON.stringify(record)}\n`);
    return outcome;
  }

  async function change(request: Extract<Request, { droplet: number | null }>, form: ChangeRequest): Promise<void> {
    const outcome = await recorded(request, () => requests.change(form, () => random.below(1_000_000)));
    if (outcome?.kind === 'refused' && outcome.status === 404 && request.address !== null)
      known.delete(request.address);
    if (outcome?.kind !== 'accepted') return;
    if (request.kind === 'reserve') known.add(outcome.address);
    if (request.kind === 'release') known.delete(outcome.address);
    if (outcome.action !== null && random.below(5) > 0) await follow(outcome.address, outcome.action);
  }

  /** Polls an action until it has ended, as customers' tools do. */
  async function follow(address: string, action: number): Promise<void> {
    const deadline = Date.now() + FOLLOW_MS;
    while (Date.now() < deadline && !stopping) {
      await sleep(POLL_MS);
      const outcome = await recorded({ kind: 'poll', address, action }, () => requests.action(action));
      if (outcome?.kind === 'action' && outcome.status !== 'in-progress') return;
    }
  }

  async function look(): Promise<void> {
    for (const ip of (await requests.addresses()) ?? []) known.add(ip);
  }

  await look();
  while (!stopping) {
    await sleep(random.below(LONGEST_THOUGHT_MS));
    await step({ random, known: [...known], droplets: account.droplets, region, change, look, show });
  }

  async function show(address: string): Promise<void> {
    const outcome = await recorded({ kind: 'show', address }, () => requests.address(address));
    if (outcome?.kind === 'missing') known.delete(address);
  }
}

/** What a lane can do next, and with what. */
interface Lane {
  random: SeededRandom;
  known: string[];
  droplets: number[];
  region: string;
  change(request: Extract<Request, { droplet: number | null }>, form: ChangeRequest): Promise<void>;
  look(): Promise<void>;
  show(address: string): Promise<void>;
}

async function step({ random, known, droplets, region, change, look, show }: Lane): Promise<void> {
  const dice = random.below(100);
  const keyed = random.below(2) === 0;
  if (known.length === 0 || dice < 6) {
    // What an unanswered reserve has taken could not be told from what it has not, so it always has a key.
    const form = {
      method: 'POST' as const,
      path: '/v2/reserved_ips',
      body: { region },
      keyed: true,
      accepted: reserved,
    };
    await change({ kind: 'reserve', address: null, droplet: null }, form);
    if (known.length === 0) await look();
    return;
  }
  const address = random.from(known);
  const path = `/v2/reserved_ips/${address}`;
  if (dice < 51) {
    const droplet = random.from(droplets);
    const body = { type: 'assign', droplet_id: droplet };
    const form = { method: 'POST' as const, path: `${path}/actions`, body, keyed, accepted: started(address) };
    await change({ kind: 'assign', address, droplet }, form);
  } else if (dice < 74) {
    const body = { type: 'unassign' };
    const form = { method: 'POST' as const, path: `${path}/actions`, body, keyed, accepted: started(address) };
    await change({ kind: 'unassign', address, droplet: null }, form);
  } else if (dice < 79) {
    const form = { method: 'DELETE' as const, path, keyed: false, accepted: released(address) };
    await change({ kind: 'release', address, droplet: null }, form);
  } else if (dice < 82) {
    await look();
  } else {
    await show(address);
  }
}
