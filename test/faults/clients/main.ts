import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '../../../dev/kit/random.ts';
import type { Address } from '../../../domain/address.ts';
import { Beliefs } from './beliefs.ts';
import {
  type ClientConfiguration,
  type ClientRecord,
  clientConfigurationSchema,
  now,
  type Outcome,
  type Request,
} from './record.ts';
import { type ChangeRequest, Requests } from './requests.ts';
import { step } from './steps.ts';

/*
 * A customer's process: several lanes of mixed requests on the account's addresses and droplets, which other processes
 * change too. It writes down what it asked and was told, and ends at SIGTERM when its requests are answered.
 */

/** How long an action is followed before the lane goes on without its end. */
const FOLLOW_MS = 20_000;
const LONGEST_THOUGHT_MS = 40;
const FIRST_POLL_MS = 100;
const LONGEST_PAUSE_MS = 1_000;

const configuration = clientConfigurationSchema.parse(JSON.parse(process.argv[2] ?? ''));
const beliefs = new Beliefs(configuration);
let stopping = false;
process.once('SIGTERM', () => {
  stopping = true;
});
await Promise.all(
  Array.from({ length: configuration.lanes }, (_, lane) => runLane(configuration, configuration.firstClient + lane)),
);

async function runLane(
  { seed, account, region, urls, recordsFile, exchangesFile }: ClientConfiguration,
  client: number,
) {
  const random = seededRandom(seed + 7_919 * client);
  const requests = new Requests(urls, account.token, random, (exchange) =>
    appendFileSync(exchangesFile, `${JSON.stringify(exchange)}\n`),
  );

  async function recorded(request: Request, ask: () => Promise<Outcome | null>): Promise<Outcome | null> {
    const call = now();
    const outcome = await ask();
    if (outcome === null) return null;
    const record: ClientRecord = { client, account: account.id, call, return: now(), request, outcome };
    appendFileSync(recordsFile, `${JSON.stringify(record)}\n`);
    beliefs.learn(request, outcome);
    return outcome;
  }

  async function change(request: Request, form: ChangeRequest): Promise<Outcome | null> {
    const outcome = await recorded(request, () => requests.change(form, () => random.below(1_000_000)));
    if (outcome?.kind !== 'accepted' || outcome.action === null) return outcome;
    if (random.below(5) > 0) await follow(outcome.address, outcome.action);
    return outcome;
  }

  /** Polls an action until it has ended, as customers' tools do. */
  async function follow(address: Address, action: number): Promise<void> {
    const deadline = Date.now() + FOLLOW_MS;
    let pauseMs = FIRST_POLL_MS;
    while (Date.now() < deadline && !stopping) {
      await sleep(pauseMs);
      pauseMs = Math.min(pauseMs * 1.5, LONGEST_PAUSE_MS);
      const outcome = await recorded({ kind: 'poll', address, action }, () => requests.action(action));
      if (outcome?.kind === 'action' && outcome.status !== 'in-progress') return;
    }
  }

  async function show(address: Address): Promise<void> {
    await recorded({ kind: 'show', address }, () => requests.address(address));
  }

  async function look(): Promise<void> {
    const [addresses, droplets] = [await requests.addresses(), await requests.droplets()];
    if (addresses && droplets) beliefs.replace(addresses, droplets);
  }

  await look();
  const lane = { random, beliefs, region, limit: account.limit, ask: change, show, look };
  while (!stopping) {
    await sleep(random.below(LONGEST_THOUGHT_MS));
    await step(lane);
  }
}
