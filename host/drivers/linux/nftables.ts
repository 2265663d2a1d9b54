import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { type IpVersion, ipVersionOf } from '../../../domain/address.ts';
import { type CanonicalAddress, canonicalAddressSchema } from '../../canonical-address.ts';
import { CommandError, type SystemCommands } from './command.ts';
import { baseRuleset, TABLE } from './ruleset.ts';
import type { DeviceName } from './uplink.ts';

/** What the packet filter translates for one attachment. */
export interface Translation {
  address: CanonicalAddress;
  anchor: CanonicalAddress;
  dropletId: number;
}

/** The sets and maps of the table, each once for every family. */
const SETS = ['addresses', 'inbound', 'outbound', 'attached'] as const;
type SetName = (typeof SETS)[number];

/** One element of the table: its key, and a value where the set is a map. As the tool reads and writes them. */
type Element =
  | string
  | [string, string]
  | { elem: { val: { concat: [string, string] }; comment?: string | undefined } };

/** An element, with the set that it is in. */
export interface PlacedElement {
  set: SetName;
  ipVersion: IpVersion;
  element: Element;
}

const commented = z.object({
  elem: z.object({ val: z.object({ concat: z.tuple([z.string(), z.string()]) }), comment: z.string().optional() }),
});
const bare = z.object({ concat: z.tuple([z.string(), z.string()]) }).transform((val) => ({ elem: { val } }));
const elementSchema = z.union([z.string(), z.tuple([z.string(), z.string()]), commented, bare]);
const setSchema = z.object({ name: z.string(), elem: z.array(elementSchema).default([]) });
const listingSchema = z.object({
  nftables: z.array(z.object({ set: setSchema.optional(), map: setSchema.optional() })),
});

const pairSchema = z.tuple([canonicalAddressSchema, canonicalAddressSchema]);

const COMMENT = /^droplet (\d+)$/;

/** Makes the table, or brings its rules up to date; its elements stay. */
export async function ensureTable(commands: SystemCommands, uplink: DeviceName): Promise<void> {
  await commands.run('nft', ['-f', '-'], baseRuleset(uplink));
}

/** Removes the table with everything in it. */
export async function removeTable(commands: SystemCommands): Promise<void> {
  await commands.run('nft', ['-f', '-'], `table inet ${TABLE}\ndelete table inet ${TABLE}\n`);
}

/** Reads every element of the table; none when there is no table. */
export async function readElements(commands: SystemCommands): Promise<PlacedElement[]> {
  const listing = await commands.run('nft', ['-j', 'list', 'table', 'inet', TABLE]).catch((error: unknown) => {
    if (error instanceof CommandError && error.reason.includes('No such file or directory')) return '{"nftables":[]}';
    throw error;
  });
  return listingSchema.parse(JSON.parse(listing)).nftables.flatMap(({ set, map }) => {
    const { name = '', elem = [] } = set ?? map ?? {};
    const kind = SETS.find((candidate) => name.startsWith(candidate));
    const ipVersion = name.endsWith('4') ? 4 : 6;
    return kind === undefined ? [] : elem.map((element): PlacedElement => ({ set: kind, ipVersion, element }));
  });
}

/** Deletes elements and then adds others, all or none of them. */
export async function changeElements(
  commands: SystemCommands,
  remove: readonly PlacedElement[],
  add: readonly PlacedElement[],
): Promise<void> {
  const changes = [...grouped('delete', remove), ...grouped('add', add)];
  if (changes.length > 0) await applyJson(commands, { nftables: changes });
}

/** By a file: the tool cannot read JSON from a socket, which is what the standard input of a child is here. */
async function applyJson(commands: SystemCommands, document: unknown): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'reserved-ip-nft-'));
  try {
    const file = join(folder, 'change.json');
    await writeFile(file, JSON.stringify(document));
    await commands.run('nft', ['-j', '-f', file]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function grouped(verb: 'add' | 'delete', elements: readonly PlacedElement[]) {
  const groups = Map.groupBy(elements, ({ set, ipVersion }) => `${set}${ipVersion}`);
  return [...groups].map(([name, group]) => ({
    [verb]: { element: { family: 'inet', table: TABLE, name, elem: group.map(({ element }) => element) } },
  }));
}

/** The elements that one translation is made of. */
export function elementsOf({ address, anchor, dropletId }: Translation): PlacedElement[] {
  const ipVersion = ipVersionOf(address);
  const attached = { elem: { val: { concat: pair(address, anchor) }, comment: `droplet ${dropletId}` } };
  return [
    { set: 'addresses', ipVersion, element: address },
    { set: 'inbound', ipVersion, element: [address, anchor] },
    { set: 'outbound', ipVersion, element: [anchor, address] },
    { set: 'attached', ipVersion, element: attached },
  ];
}

/** The translations that are there as a whole, and the elements that are not part of one. */
export function translationsOf(elements: readonly PlacedElement[]): {
  translations: Translation[];
  debris: PlacedElement[];
} {
  const left = new Map(elements.map((placed) => [JSON.stringify(placed), placed]));
  const translations: Translation[] = [];
  for (const { set, element } of elements) {
    if (set !== 'attached' || typeof element === 'string' || Array.isArray(element)) continue;
    const pairOfAddresses = pairSchema.safeParse(element.elem.val.concat);
    if (!pairOfAddresses.success) continue;
    const [address, anchor] = pairOfAddresses.data;
    const dropletId = Number(COMMENT.exec(element.elem.comment ?? '')?.[1]);
    const translation = { address, anchor, dropletId };
    const keys = elementsOf(translation).map((placed) => JSON.stringify(placed));
    if (Number.isNaN(dropletId) || !keys.every((key) => left.has(key))) continue;
    for (const key of keys) left.delete(key);
    translations.push(translation);
  }
  return { translations, debris: [...left.values()] };
}

function pair(first: string, second: string): [string, string] {
  return [first, second];
}
