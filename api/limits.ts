import { isIP } from 'node:net';
import { z } from 'zod';

/*
 * How much one party may ask of an API process, so that nobody takes it from the others. A party is an account, a host, or
 * a network address without a valid token.
 */

const count = z.coerce.number().int().positive();

const networks = z
  .string()
  .transform((text) => text.split(',').map((network) => network.trim()))
  .refine((all) => all.every(isNetwork), 'is not a list of addresses and networks, such as 10.0.0.0/8,192.0.2.1');

export const apiLimitFields = {
  /** Proxies whose `X-Forwarded-For` is believed: addresses and networks, separated by commas. */
  API_TRUSTED_PROXIES: networks.default([]),
  /** Wrong tokens that one address may send a minute, of each kind. */
  API_WRONG_TOKENS_PER_MINUTE: count.default(100),
  /** Customers' requests that are worked on at a time. */
  API_REQUESTS_AT_ONCE: count.default(128),
  /** Of those, requests of one account; more wait for their turn. */
  API_ACCOUNT_REQUESTS_AT_ONCE: count.default(8),
  /** Requests of one account, or host, that may wait for their turn. */
  API_WAITING_REQUESTS: count.default(500),
  /** Requests of one host a second, on average over five seconds. */
  API_HOST_REQUESTS_PER_SECOND: count.default(100),
  /** Acknowledgments of one host a second, on average over five seconds. */
  API_HOST_ACKNOWLEDGMENTS_PER_SECOND: count.default(500),
  /** Long polls that one host may have open; a further one ends the oldest. */
  API_HOST_POLLS: count.default(4),
  /** Open connections of the process. */
  API_CONNECTIONS: count.default(20_000),
  /** Open connections of one address that is no trusted proxy. */
  API_ADDRESS_CONNECTIONS: count.default(1_000),
  /** Lines a second about rejected requests, for each status; the rest of a second is one line that counts them. */
  API_REFUSED_LINES_PER_SECOND: count.default(20),
};

const limitsSchema = z.object(apiLimitFields);

/** The limits of an API process. */
export type ApiLimits = z.infer<typeof limitsSchema>;

/** The limits of an installation that sets none. */
export const API_LIMITS: ApiLimits = limitsSchema.parse({});

function isNetwork(text: string): boolean {
  const [, address = '', bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const version = isIP(address);
  return version !== 0 && (bits === undefined || Number(bits) <= (version === 4 ? 32 : 128));
}
