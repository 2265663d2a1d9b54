import { loadavg } from 'node:os';
import { InvalidArgumentError } from 'commander';
import { commandLine, print, printError, printJson } from '../../../platform/text/print.ts';
import { ProcessSupervisor } from '../../environment/processes.ts';
import { startDbosPeer } from './dbos/peer.ts';
import { measure } from './measure.ts';
import { startOurs } from './ours/peer.ts';
import { checkTypes, installPackages } from './packages.ts';
import type { Peer } from './peer.ts';
import { PublishedEvents } from './published.ts';
import { type Recovery, recover } from './recovery.ts';
import { type Results, toMarkdown } from './report.ts';
import { startRestatePeer, startSmallRestatePeer } from './restate/peer.ts';
import { LOG_FOLDER, type SharedServers, startSharedServers } from './servers.ts';
import { startTemporalPeer } from './temporal/peer.ts';

/*
 * `npm run bench:peers`: the operation as the control plane carries it out, beside the same written on Restate, on DBOS
 * and as plain Temporal activities, in turns on the same servers.
 */

const STARTERS = {
  ours: startOurs,
  restate: startRestatePeer,
  'restate-4': startSmallRestatePeer,
  dbos: startDbosPeer,
  temporal: startTemporalPeer,
} satisfies Record<string, (shared: SharedServers, laneCount: number) => Promise<Peer>>;
type PeerName = keyof typeof STARTERS;
const PEER_NAMES: PeerName[] = ['ours', 'restate', 'restate-4', 'dbos', 'temporal'];

const options = commandLine('bench:peers')
  .description('Measures the control plane beside the same operation on Restate, DBOS and plain Temporal, in turns.')
  .option('--json', 'print JSON instead of tables', false)
  .option('--peers <names>', 'which to measure, separated by commas', toPeerNames, PEER_NAMES)
  .option('--rounds <number>', 'interleaved rounds of one operation at a time', Number, 200)
  .option('--blocks <number>', 'interleaved blocks of many operations at a time', Number, 3)
  .option('--block-seconds <number>', 'length of a block', Number, 10)
  .option('--in-flight <number>', 'operations at a time in a block', Number, 32)
  .option('--warm-up <number>', 'rounds of as many operations before anything is measured', Number, 10)
  .option('--keys', 'send every operation so that it may be sent again (ours and Restate: with a key)', false)
  .option('--recovery <number>', 'operations of each lane in which the process is killed; 0 for none', Number, 4)
  .option('--minutes <number>', 'end after this time in any case', Number, 30)
  .option('--check-only', 'install the packages, check the types and end', false)
  .parse()
  .opts<{
    json: boolean;
    peers: PeerName[];
    rounds: number;
    blocks: number;
    blockSeconds: number;
    inFlight: number;
    warmUp: number;
    keys: boolean;
    recovery: number;
    minutes: number;
    checkOnly: boolean;
  }>();

const preparation = new ProcessSupervisor({ folder: LOG_FOLDER });
await installPackages(preparation);
await checkTypes(preparation);
if (options.checkOnly) process.exit();

const shared = await startSharedServers(options.inFlight);
const late = setTimeout(() => void giveUp(`not done within ${options.minutes} minutes`), options.minutes * 60_000);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void giveUp(`ended by ${signal}`));
const peers: Peer[] = [];
let events: PublishedEvents | undefined;
try {
  await run();
} finally {
  clearTimeout(late);
  await events?.close();
  for (const peer of peers) await peer.close();
  await shared.close();
}

async function run(): Promise<void> {
  for (const name of options.peers) {
    printError(`starting ${name} …`);
    peers.push(await STARTERS[name](shared, options.inFlight));
  }
  events = await PublishedEvents.open(
    shared.environment.servers.kafkaBrokers.split(','),
    peers.map(({ topic }) => topic),
  );
  const effort = {
    rounds: options.rounds,
    blocks: options.blocks,
    blockMs: options.blockSeconds * 1_000,
    inFlight: options.inFlight,
    warmUpRounds: options.warmUp,
    keys: options.keys,
  };
  const before = loadavg()[0] ?? 0;
  const measured = await measure(peers, events, effort);
  const load: Results['load'] = [before, loadavg()[0] ?? 0];
  const recoveries: Recovery[] = [];
  if (options.recovery > 0) {
    for (const peer of peers) recoveries.push(await recover(peer, events, options.recovery));
  }
  const results: Results = { effort, load, peers: measured, recoveries };
  if (options.json) printJson(results);
  else print(toMarkdown(results));
  if (recoveries.some(({ whole }) => !whole)) process.exitCode = 1;
}

async function giveUp(reason: string): Promise<void> {
  printError(reason);
  await shared.close();
  process.exit(1);
}

function toPeerNames(text: string): PeerName[] {
  return text.split(',').map((name) => {
    const found = PEER_NAMES.find((known) => known === name);
    if (!found) throw new InvalidArgumentError(`Known are ${PEER_NAMES.join(', ')}.`);
    return found;
  });
}
