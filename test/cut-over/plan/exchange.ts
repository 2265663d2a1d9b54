import { Client } from 'undici';
import { inject } from 'vitest';
import { z } from 'zod';
import { expectAnswer } from '../../../dev/kit/http.ts';
import type { ResourceName } from '../../../edge/code-paths.ts';
import type { World } from '../../support/world.ts';
import type { Bearer, BodyPart, PlannedCase } from './plan.ts';
import type { Scene } from './scenes.ts';

/** An answer of one of the upstreams. */
export interface UpstreamAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
}

/**
 * Sends the request of a case, as it is written: no client in between puts a path or a header right. In the answer, the
 * upstream's own URL is called `{origin}`, and what the scene is made of by its name, so that two answers can be compared.
 */
export async function exchange(
  baseUrl: string,
  { request, headers, body, times }: PlannedCase,
  { scene, resourceName, token }: { scene: Scene; resourceName: ResourceName; token: string | null },
): Promise<UpstreamAnswer> {
  const names = { ...scene.names, resource_name: resourceName };
  const [method = '', path = ''] = fill(request, names).split(' ');
  const client = new Client(baseUrl);
  try {
    let answer: UpstreamAnswer = { status: 0, headers: {}, text: '' };
    for (let time = 0; time < times; time++) {
      const response = await client.request({
        method,
        path,
        headers: {
          ...(token !== null && { authorization: `Bearer ${token}` }),
          ...(body && { 'content-type': 'application/json' }),
          ...filled(headers, { ...names, token: scene.account.http.token ?? '' }),
        },
        ...(body && { body: bytesOf(body, names) }),
      });
      const own = { origin: baseUrl, request_id: String(response.headers['x-request-id']) };
      const text = nameParts(await response.body.text(), { ...own, ...scene.names });
      answer = { status: response.statusCode, headers: response.headers, text };
    }
    return answer;
  } finally {
    await client.close();
  }
}

/** A token of this kind; null for none. */
export async function tokenOf({ account, world }: Scene, bearer: Bearer): Promise<string | null> {
  const [, right] = /^without (reserved_ip:\w+)$/.exec(bearer) ?? [];
  if (right !== undefined) {
    const rights = ['create', 'read', 'update', 'delete'].map((action) => `reserved_ip:${action}`);
    return world.token(account.id, { scopes: rights.filter((one) => one !== right) });
  }
  switch (bearer) {
    case 'none':
      return null;
    case 'unknown':
      return 'rip_0123456789abcdef0123456789abcdef';
    case 'revoked':
      return revoked(world, account.id);
    case 'without any right':
      return world.token(account.id, { scopes: ['droplet:read'] });
    case 'with reserved_ip:read alone':
      return world.token(account.id, { scopes: ['reserved_ip:read'] });
    case 'with one request a minute':
      return world.token(account.id, { requests_per_minute: 1 });
    case 'of a host':
      return hostToken(world);
    case 'of an operator':
      return inject('environment').adminToken;
    default:
      return account.http.token;
  }
}

async function hostToken({ admin, agents: [host] }: World): Promise<string> {
  const answer = await admin.post(`/internal/v1/hosts/${host?.name}/tokens`);
  return expectAnswer(answer, 201, z.object({ token: z.string() })).token;
}

async function revoked(world: World, accountId: number): Promise<string> {
  const path = `/internal/v1/accounts/${accountId}/tokens`;
  const answer = await world.admin.post(path, { name: 'revoked' });
  const { id, token } = expectAnswer(answer, 201, z.object({ id: z.int(), token: z.string() }));
  expectAnswer(await world.admin.delete(`${path}/${id}`), 204, z.undefined());
  return token;
}

type Names = Record<string, string | number>;

/** What is long enough not to be found by chance. */
const NAMED_IN_ANSWERS = new Set(['origin', 'request_id', 'ip', 'other_ip', 'region']);

/** The other way round. */
function nameParts(text: string, names: Names): string {
  const parts = Object.entries(names).filter(([name]) => NAMED_IN_ANSWERS.has(name));
  return parts.reduce((rest, [name, value]) => rest.replaceAll(String(value), `{${name}}`), text);
}

/** Puts what the scene has in the place of `{ip}` and the like. Throws when it has no such thing. */
function fill(text: string, names: Names): string {
  return text.replaceAll(/\{([a-z_0-9]+)\}/g, (_, name: string) => {
    const value = names[name];
    if (value === undefined) throw new Error(`the scene has no {${name}}`);
    return String(value);
  });
}

function filled(headers: PlannedCase['headers'], names: Names): Record<string, string | string[]> {
  const textOf = (part: BodyPart) => bytesOfPart(part, names).toString('latin1');
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.map(textOf) : textOf(value)]),
  );
}

function bytesOf(body: NonNullable<PlannedCase['body']>, names: Names): Buffer {
  if ('json' in body) return Buffer.from(JSON.stringify(withNames(body.json, names)));
  const parts = 'text' in body ? [body.text] : body.parts;
  return Buffer.concat(parts.map((part) => bytesOfPart(part, names)));
}

function bytesOfPart(part: BodyPart, names: Names): Buffer {
  if (typeof part === 'string') return Buffer.from(fill(part, names));
  if ('hex' in part) return Buffer.from(part.hex.replaceAll(' ', ''), 'hex');
  return Buffer.from(part.repeat.repeat(part.times));
}

/** A text that is a name and nothing else becomes what it names, also when that is a number. */
function withNames(value: unknown, names: Names): unknown {
  if (Array.isArray(value)) return value.map((one) => withNames(one, names));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, withNames(one, names)]));
  }
  if (typeof value !== 'string') return value;
  const [, name] = /^\{([a-z_]+)\}$/.exec(value) ?? [];
  return name === undefined ? fill(value, names) : (names[name] ?? fill(value, names));
}
