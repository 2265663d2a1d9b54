import type { SeededRandom } from '../../../dev/kit/random.ts';
import type { Address } from '../../../domain/address.ts';
import { created, destroyed, released, reserved, started } from './answers.ts';
import type { Beliefs } from './beliefs.ts';
import type { AddressChange, Outcome, Request } from './record.ts';
import { type ChangeRequest, pathOf } from './requests.ts';

/** Accounts keep below their limit of addresses, so that most reserves are accepted. */
const ROOM = 4;

/** What a lane works with. */
export interface Lane {
  random: SeededRandom;
  beliefs: Beliefs;
  region: string;
  /** The account's limit of addresses of each IP version. */
  limit: number;
  /** Asks for a change, writes it down and learns from it; null when nothing was told. */
  ask(request: Request, form: ChangeRequest): Promise<Outcome | null>;
  show(address: Address): Promise<void>;
  look(): Promise<void>;
}

/** Does the next thing, as the dice fall. */
export async function step(lane: Lane): Promise<void> {
  const { random, beliefs, limit } = lane;
  const dice = random.below(100);
  const ipVersion = random.below(3) === 0 ? 6 : 4;
  if (beliefs.count(ipVersion) < limit / 3 || (dice < 13 && beliefs.count(ipVersion) < limit - ROOM)) {
    await reserve(lane, ipVersion);
  } else if (dice < 17) await lane.look();
  else if (dice < 19) await replaceDroplet(lane);
  else await beliefs.withAddress(random, (address, meeting) => changeOrShow(lane, address, meeting));
}

async function reserve({ random, beliefs, region, ask, look }: Lane, ipVersion: 4 | 6): Promise<void> {
  const droplet = ipVersion === 4 && random.below(2) === 0 ? beliefs.dropletFor(random, 4, false) : null;
  const body = droplet !== null ? { droplet_id: droplet } : ipVersion === 4 ? { region } : { region_slug: region };
  const path = ipVersion === 4 ? '/v2/reserved_ips' : '/v2/reserved_ipv6';
  // What an unanswered reserve has taken could not be told from what it has not, so it always has a key.
  const form: ChangeRequest = { method: 'POST', path, body, keyed: true, accepted: reserved };
  const outcome = await ask({ kind: 'reserve', ipVersion, address: null, droplet }, form);
  // The others have taken more, or have other droplets, than is known here.
  if (outcome?.kind === 'refused') await look();
}

async function changeOrShow(lane: Lane, address: Address, meeting: boolean): Promise<void> {
  const { random, beliefs, ask } = lane;
  const dice = random.below(100);
  if (dice < 14) return lane.show(address);
  const ipVersion = address.includes(':') ? 6 : 4;
  const droplet = beliefs.dropletFor(random, ipVersion, meeting);
  const kind = kindOfChange(dice, meeting, ipVersion, beliefs.placeOf(address));
  const request: AddressChange = { kind, ipVersion, address, droplet: kind === 'assign' ? droplet : null };
  const outcome = await ask(request, formOf(request, address, random.below(2) === 0));
  // What it holds true of the address was wrong.
  if (outcome?.kind === 'refused') await lane.show(address);
}

/** What is likely to be accepted; when meeting, anything. */
function kindOfChange(dice: number, meeting: boolean, ipVersion: 4 | 6, place: number | null): AddressChange['kind'] {
  if (meeting) return dice < 60 ? 'assign' : dice < 92 ? 'unassign' : 'release';
  if (place === null) return dice < 88 ? 'assign' : 'release';
  if (dice < 54) return 'assign';
  return dice < 90 || ipVersion === 6 ? 'unassign' : 'release';
}

function formOf({ kind, droplet }: AddressChange, address: Address, keyed: boolean): ChangeRequest {
  const path = pathOf(address);
  if (kind === 'release') return { method: 'DELETE', path, keyed: false, accepted: released(address) };
  const body = kind === 'assign' ? { type: 'assign', droplet_id: droplet } : { type: 'unassign' };
  return { method: 'POST', path: `${path}/actions`, body, keyed, accepted: started(address) };
}

/** Destroys a droplet, with or without addresses on it, and makes another one. */
async function replaceDroplet({ random, beliefs, region, ask }: Lane): Promise<void> {
  const droplet = beliefs.dropletFor(random, 4, random.below(2) === 0);
  if (droplet === null) return;
  const path = `/v2/droplets/${droplet}`;
  const form: ChangeRequest = { method: 'DELETE', path, keyed: false, accepted: destroyed(droplet), onlyIfSaid: true };
  const outcome = await ask({ kind: 'destroy', droplet }, form);
  if (outcome?.kind !== 'done' && outcome?.kind !== 'unknown') return;
  const body = { name: `after-${droplet}`, region, size: 's-1vcpu-1gb', image: 'debian-12-x64' };
  const creation: ChangeRequest = { method: 'POST', path: '/v2/droplets', body, keyed: true, accepted: created };
  await ask({ kind: 'create' }, { ...creation, onlyIfSaid: true });
}
