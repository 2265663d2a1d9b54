import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Told } from '../../dev/demo/cut-over/clients/record.ts';
import { type Account, type Action, readAction } from '../../dev/kit/account.ts';
import { type Answer, expectAnswer } from '../../dev/kit/http.ts';
import type { SeededRandom } from '../../dev/kit/random.ts';
import { until } from '../../dev/kit/until.ts';

const RESOURCE_NAMES = ['reserved_ips', 'floating_ips'] as const;
type ResourceName = (typeof RESOURCE_NAMES)[number];

const addressSchema = z.object({
  ip: z.string(),
  droplet: z.looseObject({ id: z.int() }).nullable(),
  locked: z.boolean(),
});
const idsSchema = z.object({ actions: z.array(z.object({ id: z.int() })) });

/**
 * A customer with one address at the most, who changes it at random under both names, waits until each change is
 * completed, and sees after each that the address is as it was told. Throws at the first thing that is not.
 */
export class Customer {
  readonly accepted: Told = { reserve_ip: 0, assign_ip: 0, unassign_ip: 0, release_ip: 0 };
  /** The ids of all requests that were sent. */
  readonly sent: string[] = [];
  readonly #account: Account;
  readonly #droplets: number[];
  readonly #region: string;
  readonly #random: SeededRandom;
  #held: { ip: string; dropletId: number | null } | null = null;

  constructor(account: Account, options: { droplets: number[]; region: string; random: SeededRandom }) {
    this.#account = account;
    this.#droplets = options.droplets;
    this.#region = options.region;
    this.#random = options.random;
  }

  /** Changes that were accepted. */
  get changes(): number {
    return Object.values(this.accepted).reduce((sum, count) => sum + count, 0);
  }

  get held(): { ip: string; dropletId: number | null } | null {
    return this.#held;
  }

  /** Makes one change, and looks. */
  async step(): Promise<void> {
    const resourceName = this.#random.from(RESOURCE_NAMES);
    const held = this.#held;
    if (held === null) await this.#reserve(resourceName);
    else if (this.#random.below(5) === 0) await this.#release(resourceName, held.ip);
    else if (held.dropletId !== null && this.#random.below(2) === 0) await this.#unassign(resourceName, held.ip);
    else await this.#assign(resourceName, held);
    await this.#look(this.#random.from(RESOURCE_NAMES));
  }

  async #reserve(resourceName: ResourceName): Promise<void> {
    const dropletId = this.#random.below(2) === 0 ? null : this.#random.from(this.#droplets);
    const body = dropletId === null ? { region: this.#region } : { droplet_id: dropletId };
    const answer = await this.#send('POST', `/v2/${resourceName}`, body);
    const { ip } = readOne(answer, 202, resourceName);
    this.accepted.reserve_ip++;
    this.#held = { ip, dropletId };
    if (dropletId === null) return;
    this.accepted.assign_ip++;
    const { links } = expectAnswer(answer, 202, z.object({ links: idsSchema }));
    await this.#completed(resourceName, ip, links.actions[0]?.id ?? 0);
  }

  async #assign(
    resourceName: ResourceName,
    { ip, dropletId }: { ip: string; dropletId: number | null },
  ): Promise<void> {
    const target = this.#random.from(this.#droplets.filter((droplet) => droplet !== dropletId));
    const action = readAction(await this.#post(resourceName, ip, { type: 'assign', droplet_id: target }));
    this.accepted.assign_ip++;
    await this.#completed(resourceName, ip, action.id);
    this.#held = { ip, dropletId: target };
  }

  async #unassign(resourceName: ResourceName, ip: string): Promise<void> {
    const action = readAction(await this.#post(resourceName, ip, { type: 'unassign' }));
    this.accepted.unassign_ip++;
    await this.#completed(resourceName, ip, action.id);
    this.#held = { ip, dropletId: null };
  }

  async #release(resourceName: ResourceName, ip: string): Promise<void> {
    const answer = await this.#send('DELETE', `/v2/${resourceName}/${ip}`);
    if (answer.status !== 204) throw new Error(`release of ${ip}: ${answer.status} ${answer.text}`);
    this.accepted.release_ip++;
    this.#held = null;
    const gone = await this.#send('GET', `/v2/${resourceName}/${ip}`);
    if (gone.status !== 404) throw new Error(`${ip} was released and is still there: ${gone.status} ${gone.text}`);
  }

  async #look(resourceName: ResourceName): Promise<void> {
    const held = this.#held;
    const listed = await this.#send('GET', `/v2/${resourceName}?per_page=200`);
    const addresses = expectAnswer(listed, 200, z.record(z.string(), z.unknown()))[resourceName];
    const seen = z.array(addressSchema).parse(addresses).map(describe);
    const expected = held === null ? [] : [describe({ ...held, droplet: idOf(held.dropletId), locked: false })];
    if (String(seen) !== String(expected)) throw new Error(`listed ${seen} where ${expected} was expected`);
    if (held === null) return;
    const shown = describe(readOne(await this.#send('GET', `/v2/${resourceName}/${held.ip}`), 200, resourceName));
    if (shown !== expected[0]) throw new Error(`shown ${shown} where ${expected} was expected`);
    const actions = await this.#send('GET', `/v2/${resourceName}/${held.ip}/actions`);
    expectAnswer(actions, 200, idsSchema);
  }

  async #completed(resourceName: ResourceName, ip: string, id: number): Promise<void> {
    const schema = z.object({ action: z.object({ status: z.enum(['in-progress', 'completed', 'errored']) }) });
    const ended = await until<Action['status']>(`action ${id} on ${ip} ended`, async () => {
      const answer = await this.#send('GET', `/v2/${resourceName}/${ip}/actions/${id}`);
      const { status } = expectAnswer(answer, 200, schema).action;
      return status !== 'in-progress' && status;
    });
    if (ended !== 'completed') throw new Error(`action ${id} on ${ip} is ${ended}`);
  }

  #post(resourceName: ResourceName, ip: string, body: unknown): Promise<Answer> {
    return this.#send('POST', `/v2/${resourceName}/${ip}/actions`, body);
  }

  #send(method: string, path: string, body?: unknown): Promise<Answer> {
    const id = randomUUID();
    this.sent.push(id);
    return this.#account.http.send(method, path, { body, headers: { 'x-request-id': id } });
  }
}

function readOne(answer: Answer, status: number, resourceName: ResourceName): z.infer<typeof addressSchema> {
  const schema = z.record(z.string(), z.unknown());
  return addressSchema.parse(expectAnswer(answer, status, schema)[resourceName.slice(0, -1)]);
}

function idOf(dropletId: number | null): { id: number } | null {
  return dropletId === null ? null : { id: dropletId };
}

function describe({ ip, droplet, locked }: { ip: string; droplet: { id: number } | null; locked: boolean }): string {
  return `${ip} on ${droplet?.id ?? 'nothing'}${locked ? ', locked' : ''}`;
}
