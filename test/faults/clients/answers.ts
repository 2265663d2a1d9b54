import { z } from 'zod';
import type { Answer } from '../../../dev/kit/http.ts';
import type { Address } from '../../../domain/address.ts';
import type { Outcome } from './record.ts';
import type { ChangeRequest } from './requests.ts';

const shownSchema = z.object({ ip: z.string(), droplet: z.object({ id: z.int() }).nullable() });
const lockableSchema = shownSchema.extend({ locked: z.boolean() });
const reservedSchema = z.union([
  z.object({ reserved_ip: lockableSchema }).transform(({ reserved_ip }) => reserved_ip),
  z.object({ reserved_ipv6: shownSchema }).transform(({ reserved_ipv6 }) => ({ ...reserved_ipv6, locked: null })),
]);
const listedSchema = z.union([
  z.object({ reserved_ips: z.array(shownSchema) }).transform(({ reserved_ips }) => reserved_ips),
  z.object({ reserved_ipv6s: z.array(shownSchema) }).transform(({ reserved_ipv6s }) => reserved_ipv6s),
]);
const linksSchema = z.object({
  links: z.object({ actions: z.array(z.object({ id: z.int() })).optional() }).optional(),
});
const createdSchema = z.object({ droplet: z.object({ id: z.int() }) });
const dropletsSchema = z.object({ droplets: z.array(z.object({ id: z.int() })) });
const errorSchema = z.object({ message: z.string() });
export const actionSchema = z.object({
  action: z.object({ id: z.int(), status: z.enum(['in-progress', 'completed', 'errored']) }),
});

/** The API says so of the operation: it will never be. */
const NEVER = /Nothing was changed/;
/** The gateway says so of this one request. */
const NOT_SENT = /was not passed on/;

/** `doubtful`: the same request was sent before, and its outcome is not known. */
export function outcomeOf(answer: Answer | null, request: ChangeRequest, doubtful: boolean): Outcome {
  if (answer === null) return { kind: 'unknown', why: 'the connection broke' };
  const { status, headers, body } = answer;
  if (status >= 200 && status < 300) return request.accepted(answer);
  const error = errorSchema.safeParse(body);
  if (!error.success) return unexpected(answer);
  const { message } = error.data;
  switch (status) {
    case 503:
      if (!headers.has('retry-after')) return unexpected(answer);
      if (NEVER.test(message)) return { kind: 'unavailable', message };
      // It is only about this try.
      if (doubtful || (request.onlyIfSaid && !NOT_SENT.test(message))) return { kind: 'unknown', why: message };
      return { kind: 'unavailable', message };
    case 502:
    case 504:
    case 409:
      return { kind: 'unknown', why: message };
    case 400:
    case 404:
    case 422:
      return { kind: 'refused', status, message };
    default:
      return unexpected(answer);
  }
}

/** What an answer says is wrong; null when it does not say it as the API does. */
export function errorOf({ body }: Answer): string | null {
  return errorSchema.safeParse(body).data?.message ?? null;
}

/** What an address shows. */
export function addressOf(answer: Answer): Outcome {
  const { droplet, locked } = reservedSchema.parse(answer.body);
  return { kind: 'address', droplet: droplet?.id ?? null, locked };
}

/** The addresses of a list, each with the droplet that it is on. */
export function addressesOf(answer: Answer): [Address, number | null][] {
  return listedSchema.parse(answer.body).map(({ ip, droplet }) => [ip, droplet?.id ?? null]);
}

/** The droplets of a list. */
export function dropletsOf(answer: Answer): number[] {
  return dropletsSchema.parse(answer.body).droplets.map(({ id }) => id);
}

/** The outcome of a reserve that was accepted; one for a droplet names the action that takes the address there. */
export function reserved(answer: Answer): Outcome {
  const action = linksSchema.parse(answer.body).links?.actions?.[0]?.id ?? null;
  return { kind: 'accepted', address: reservedSchema.parse(answer.body).ip, action };
}

/** The outcome of an assign or unassign that was accepted. */
export function started(address: Address): (answer: Answer) => Outcome {
  return (answer) => ({ kind: 'accepted', address, action: actionSchema.parse(answer.body).action.id });
}

/** The outcome of a release that was accepted. */
export function released(address: Address): () => Outcome {
  return () => ({ kind: 'accepted', address, action: null });
}

/** The outcome of a droplet's creation that was accepted. */
export function created(answer: Answer): Outcome {
  return { kind: 'done', droplet: createdSchema.parse(answer.body).droplet.id };
}

/** The outcome of a droplet's deletion that was accepted. */
export function destroyed(droplet: number): () => Outcome {
  return () => ({ kind: 'done', droplet });
}

/** An answer that no client of this API expects. */
export function unexpected({ status, text }: Answer): Outcome {
  return { kind: 'unexpected', status, text: text.slice(0, 300) };
}
