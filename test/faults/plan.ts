import { type SeededRandom, seededRandom } from '../../dev/kit/random.ts';

/** Processes of one kind of which there are several, by number from 1. */
export interface Population {
  hosts: number;
}

/** What can be done to a connection; see Toxiproxy's toxics. */
export type LinkTrouble = 'latency' | 'bandwidth' | 'down' | 'silence' | 'reset';

/**
 * Moments between a commit and the end of what follows it, in which a process is killed. `API` and `starter` are the API
 * process that has admitted the operation; `reconciler` is a worker that has found it in the outbox.
 */
export const CRASH_STEPS = [
  'API: committed, not answered',
  'API: answered, start not sent',
  'starter: start sent, not answered',
  'starter: started, row not removed',
  'reconciler: rows taken, start not sent',
  'reconciler: start sent, not answered',
  'reconciler: started, row not removed',
] as const;
export type CrashStep = (typeof CRASH_STEPS)[number];

/** How Temporal is away: its process is dead, or stopped and silent, or no connection to it is let through. */
export const WAYS_AWAY = ['killed', 'silent', 'cut off'] as const;
export type WayAway = (typeof WAYS_AWAY)[number];

/** What a fault does, and to what. */
export type FaultAction =
  | { kind: 'kill'; process: string }
  | { kind: 'crash'; step: CrashStep; side: Side }
  | { kind: 'Temporal away'; way: WayAway }
  | { kind: 'slow link' | 'cut link'; link: string; trouble: LinkTrouble; strength: number }
  | { kind: 'fill the disk of Kafka' }
  | { kind: 'deadlocks in MySQL' }
  | { kind: 'lost connections of MySQL' }
  | { kind: 'step the clock of billing'; seconds: number };

/** One fault of a run. */
export interface Fault {
  number: number;
  action: FaultAction;
  /** Milliseconds from the fault before it; it may still be going on. */
  afterMs: number;
  /** How long it lasts, in milliseconds; what is broken is repaired then. */
  holdMs: number;
}

/** Names of the processes that run twice, by the side of the environment that they are on. */
export const SIDES = ['left', 'right'] as const;
export type Side = (typeof SIDES)[number];

/** How many of each kind come in a round, in an order that the seed decides; beside one crash in each step. */
const ROUND = {
  'kill gateway': 2,
  'kill API': 2,
  'kill worker': 2,
  'kill host agent': 2,
  'kill MySQL': 1,
  'kill Kafka': 1,
  'kill Temporal': 1,
  'slow link': 3,
  'cut link': 3,
  'fill the disk of Kafka': 1,
  'deadlocks in MySQL': 1,
  'lost connections of MySQL': 1,
  'step the clock of billing': 2,
} as const;
const ROUND_OF_ACTIONS = [...CRASH_STEPS, ...WAYS_AWAY];

/** Faults in a round, after which every kind has occurred. */
export const ROUND_LENGTH = Object.values(ROUND).reduce((sum, count) => sum + count, 0) + ROUND_OF_ACTIONS.length;

const SERVER_LINKS = [...SIDES.flatMap((side) => [`gateway-${side}`, `mysql-${side}`, `temporal-${side}`]), 'kafka'];

type CountedCard = keyof typeof ROUND;
type Card = CountedCard | CrashStep | WayAway;
const CARDS = Object.keys(ROUND).filter((name): name is CountedCard => name in ROUND);

/** The faults of a seed, without an end; the same seed gives the same ones. */
export function* faultsOf(seed: number, { hosts }: Population, paceMs: number): Generator<Fault, never> {
  const random = seededRandom(seed);
  // Those to the servers twice as often: more depends on them.
  const links = [...SERVER_LINKS, ...linksOf(hosts)];
  for (let number = 1; ; ) {
    const counted = CARDS.flatMap((name) => Array<Card>(ROUND[name]).fill(name));
    for (const card of shuffled(random, [...counted, ...ROUND_OF_ACTIONS])) {
      const action = actionOf(card, random, links, hosts);
      const afterMs = Math.round(paceMs / 2 + random.below(paceMs));
      yield { number, action, afterMs, holdMs: holdOf(action, random) };
      number++;
    }
  }
}

/** Every connection that can be troubled. */
export function linksOf(hosts: number): string[] {
  return [...SERVER_LINKS, ...Array.from({ length: hosts }, (_, index) => `host-${index + 1}`)];
}

/** A line that says what a fault is. */
export function describeFault({ action }: Fault): string {
  switch (action.kind) {
    case 'kill':
      return `kill -9 ${action.process}`;
    case 'crash':
      return `crash on the ${action.side} in the step ${action.step}`;
    case 'Temporal away':
      return `${action.kind}, ${action.way}`;
    case 'slow link':
    case 'cut link':
      return `${action.kind} ${action.link}: ${action.trouble} ${action.strength}`;
    case 'step the clock of billing':
      return `${action.kind} by ${action.seconds} s`;
    default:
      return action.kind;
  }
}

/** The kind under which a fault is counted. */
export function kindOf({ action }: Fault): string {
  switch (action.kind) {
    case 'kill':
      return `kill -9 ${action.process.replace(/-.*/, '')}`;
    case 'crash':
      return `crash in ${action.step}`;
    case 'Temporal away':
      return `${action.kind}, ${action.way}`;
    default:
      return action.kind;
  }
}

function actionOf(card: Card, random: SeededRandom, links: string[], hosts: number): FaultAction {
  switch (card) {
    case 'kill gateway':
      return { kind: 'kill', process: `gateway-${random.from(SIDES)}` };
    case 'kill API':
      return { kind: 'kill', process: `api-${random.from(SIDES)}` };
    case 'kill worker':
      return { kind: 'kill', process: `worker-${random.from(SIDES)}` };
    case 'kill host agent':
      return { kind: 'kill', process: `host-fault-${random.below(hosts) + 1}` };
    case 'kill MySQL':
      return { kind: 'kill', process: 'mysql' };
    case 'kill Kafka':
      return { kind: 'kill', process: 'kafka' };
    case 'kill Temporal':
      return { kind: 'kill', process: 'temporal' };
    case 'slow link':
      return random.below(2) === 0
        ? { kind: card, link: random.from(links), trouble: 'latency', strength: 50 + random.below(700) }
        : { kind: card, link: random.from(links), trouble: 'bandwidth', strength: 4 + random.below(30) };
    case 'cut link':
      return { kind: card, link: random.from(links), trouble: random.from(['down', 'silence', 'reset']), strength: 0 };
    case 'killed':
    case 'silent':
    case 'cut off':
      return { kind: 'Temporal away', way: card };
    case 'fill the disk of Kafka':
    case 'deadlocks in MySQL':
    case 'lost connections of MySQL':
      return { kind: card };
    case 'step the clock of billing':
      return { kind: card, seconds: (random.below(2) === 0 ? 1 : -1) * (1 + random.below(20)) };
    default:
      return { kind: 'crash', step: card, side: random.from(SIDES) };
  }
}

function holdOf({ kind }: FaultAction, random: SeededRandom): number {
  switch (kind) {
    case 'kill':
    case 'crash':
      return random.below(2_000);
    case 'Temporal away':
      return 10_000 + random.below(20_000);
    case 'fill the disk of Kafka':
      return 3_000 + random.below(3_000);
    // The library that fakes the clock looks for a new time once a second.
    case 'step the clock of billing':
      return 1_500 + random.below(2_500);
    default:
      return 500 + random.below(3_000);
  }
}

function shuffled<Item>(random: SeededRandom, items: Item[]): Item[] {
  const left = [...items];
  return items.flatMap(() => left.splice(random.below(left.length), 1));
}
