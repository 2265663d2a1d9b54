import { setTimeout as sleep } from 'node:timers/promises';
import { median, type Summary, sum, summarise } from '../../kit/statistics.ts';
import { type ProcessorTime, readProcessorTime, usedForEach } from '../processes.ts';
import { operateNext, type Timing } from './operate.ts';
import { type Call, HOST_DELAYS_MS, type HostDelayMs, type Lane, type Peer } from './peer.ts';
import type { PublishedEvents } from './published.ts';

/** How much is measured. */
export interface Effort {
  /** Interleaved rounds of one operation at a time. */
  rounds: number;
  /** Interleaved blocks of many operations at a time. */
  blocks: number;
  blockMs: number;
  inFlight: number;
  warmUpRounds: number;
  /** Whether every call is safe to send again, by a key where the operation's id alone is not one. */
  keys: boolean;
}

/** What was found for one delay of the hosts; times in milliseconds. */
export interface DelayResults {
  accept: Summary;
  whole: Summary;
  /** The median of the blocks. */
  operationsPerSecond: number;
  /** Of each block. */
  rates: number[];
  /** How many calls of the series and the blocks were told to come again later. */
  unavailable: number;
  /** An operation's, averaged over the blocks. */
  cpuMs: ProcessorTime;
}

/** What was found for one peer. */
export interface PeerResults {
  name: string;
  /** Until the start alone was durable; null where the yes is the decision itself. */
  start: Summary | null;
  byDelay: Record<HostDelayMs, DelayResults>;
  /** What its processes use in a second in which nobody asks anything. */
  idleCpuMs: ProcessorTime;
}

/** After an operation, so that what its engine still does is not counted against the next one. */
const PAUSE_MS = 25;
const IDLE_MS = 5_000;

/** Measures the peers in turns. */
export async function measure(peers: readonly Peer[], events: PublishedEvents, effort: Effort): Promise<PeerResults[]> {
  for (const peer of peers) await warmUp(peer, events, effort.warmUpRounds);
  const idle = await measureIdle(peers);
  const series = await measureSeries(peers, events, effort);
  const blocks = await measureBlocks(peers, events, effort);
  return peers.map((peer) => {
    const own = series.get(peer) ?? newSeries();
    const resultsFor = (delayMs: HostDelayMs): DelayResults => {
      const ownBlocks = blocks.filter((block) => block.peer === peer && block.delayMs === delayMs);
      return {
        accept: summarise(own[delayMs].map(({ accepted }) => accepted)),
        whole: summarise(own[delayMs].map(({ published }) => published)),
        unavailable: sum([...own[delayMs], ...ownBlocks].map(({ unavailable }) => unavailable)),
        ...summariseBlocks(ownBlocks),
      };
    };
    return {
      name: peer.name,
      start: own.starts.length === 0 ? null : summarise(own.starts),
      byDelay: { 0: resultsFor(0), 100: resultsFor(100) },
      idleCpuMs: idle.get(peer) ?? {},
    };
  });
}

async function warmUp(peer: Peer, events: PublishedEvents, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    await Promise.all(peer.lanes[0].map((lane) => operateNext(peer, events, lane)));
  }
  await Promise.all(peer.lanes[100].map((lane) => operateNext(peer, events, lane)));
}

async function measureIdle(peers: readonly Peer[]): Promise<Map<Peer, ProcessorTime>> {
  const read = async () =>
    new Map(await Promise.all(peers.map(async (peer) => [peer, await readProcessorTime(peer.processes())] as const)));
  const before = await read();
  await sleep(IDLE_MS);
  const after = await read();
  return new Map(
    peers.map((peer) => [peer, usedForEach(before.get(peer) ?? {}, after.get(peer) ?? {}, IDLE_MS / 1_000)]),
  );
}

type Series = Record<HostDelayMs, Timing[]> & { starts: number[] };

function newSeries(): Series {
  return { 0: [], 100: [], starts: [] };
}

/** One operation at a time; the peers take turns in who comes first. */
async function measureSeries(
  peers: readonly Peer[],
  events: PublishedEvents,
  { rounds, keys: repeatable }: Effort,
): Promise<Map<Peer, Series>> {
  const series = new Map(peers.map((peer) => [peer, newSeries()]));
  for (let round = 0; round < rounds; round++) {
    for (const peer of rotated(peers, round)) {
      const own = series.get(peer) ?? newSeries();
      for (const delayMs of HOST_DELAYS_MS) {
        own[delayMs].push(await operateNext(peer, events, firstLane(peer, delayMs), { repeatable }));
        await sleep(PAUSE_MS);
      }
      const { start } = peer;
      if (!start) continue;
      const send = (call: Call) => start(call);
      own.starts.push((await operateNext(peer, events, firstLane(peer, 0), { send, repeatable })).accepted);
      await sleep(PAUSE_MS);
    }
  }
  return series;
}

interface Block {
  peer: Peer;
  delayMs: HostDelayMs;
  operations: number;
  unavailable: number;
  ms: number;
  before: ProcessorTime;
  after: ProcessorTime;
}

async function measureBlocks(peers: readonly Peer[], events: PublishedEvents, effort: Effort): Promise<Block[]> {
  const blocks: Block[] = [];
  for (let number = 0; number < effort.blocks; number++) {
    for (const delayMs of HOST_DELAYS_MS) {
      for (const peer of rotated(peers, number)) blocks.push(await runBlock(peer, events, delayMs, effort));
    }
  }
  return blocks;
}

/** Keeps an operation going on each lane for the length of a block, and counts them all, also those that end after it. */
async function runBlock(
  peer: Peer,
  events: PublishedEvents,
  delayMs: HostDelayMs,
  { inFlight, blockMs, keys: repeatable }: Effort,
): Promise<Block> {
  const before = await readProcessorTime(peer.processes());
  const begin = performance.now();
  let operations = 0;
  let unavailable = 0;
  async function keepGoing(lane: Lane): Promise<void> {
    while (performance.now() - begin < blockMs) {
      unavailable += (await operateNext(peer, events, lane, { repeatable })).unavailable;
      operations += 1;
    }
  }
  await Promise.all(peer.lanes[delayMs].slice(0, inFlight).map(keepGoing));
  const ms = performance.now() - begin;
  // What the engine still writes about these operations is theirs.
  await sleep(20 * PAUSE_MS);
  return { peer, delayMs, operations, unavailable, ms, before, after: await readProcessorTime(peer.processes()) };
}

function summariseBlocks(blocks: readonly Block[]): Pick<DelayResults, 'operationsPerSecond' | 'rates' | 'cpuMs'> {
  const rates = blocks.map(({ operations, ms }) => (operations * 1_000) / ms);
  const operations = sum(blocks.map((block) => block.operations));
  const cpuMs: ProcessorTime = {};
  for (const { before, after } of blocks) {
    for (const [name, used] of Object.entries(usedForEach(before, after, operations))) {
      cpuMs[name] = (cpuMs[name] ?? 0) + used;
    }
  }
  return { operationsPerSecond: median(rates), rates, cpuMs };
}

function rotated<T>(items: readonly T[], by: number): T[] {
  const first = by % items.length;
  return [...items.slice(first), ...items.slice(0, first)];
}

function firstLane(peer: Peer, delayMs: HostDelayMs): Lane {
  const [lane] = peer.lanes[delayMs];
  if (!lane) throw new Error(`${peer.name} has no lane`);
  return lane;
}
