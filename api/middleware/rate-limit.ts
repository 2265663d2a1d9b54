import { createMiddleware } from 'hono/factory';
import { LRUCache } from 'lru-cache';
import type { ApiEnvironment } from '../context.ts';
import { tooManyRequests } from '../errors.ts';
import { SlidingWindow } from './sliding-window.ts';

const MINUTE = 60;
const HOUR = 3_600;

/** Options of {@link rateLimit}. */
export interface RateLimitOptions {
  /** Most tokens counted at a time; the one unseen for longest is forgotten first. Default 10000. */
  maxTokens?: number;
  /** Clock in seconds; default the system's. */
  now?: () => number;
}

/** Options of {@link rateLimitDefaults}. */
export interface RateLimitDefaultsOptions {
  /** What is named as the limit of a request that is not counted; default 5000. */
  limit?: number;
}

/** The headers of a request that is not counted against any token, such as one without a valid token. */
export function rateLimitDefaults({ limit = 5_000 }: RateLimitDefaultsOptions = {}) {
  return createMiddleware<ApiEnvironment>(async function rateLimitDefaults(c, next) {
    c.header('ratelimit-limit', String(limit));
    c.header('ratelimit-remaining', String(limit));
    c.header('ratelimit-reset', String(Math.ceil(Date.now() / 1_000)));
    await next();
  });
}

/**
 * Counts the requests of each token in a sliding minute and a sliding hour, and rejects those above the token's limits.
 * The headers tell of the hour, as the v2 API's do. Rejected requests are not counted.
 * Each process counts for itself, in memory: n processes behind a balancer let through up to n times the limit.
 */
export function rateLimit({ maxTokens = 10_000, now = () => Date.now() / 1_000 }: RateLimitOptions = {}) {
  const windows = new LRUCache<number, { minute: SlidingWindow; hour: SlidingWindow }>({ max: maxTokens });
  return createMiddleware<ApiEnvironment>(async function rateLimit(c, next) {
    const { tokenId, requestsPerMinute, requestsPerHour } = c.var.caller;
    const { minute, hour } = windows.get(tokenId) ?? {
      minute: new SlidingWindow(MINUTE),
      hour: new SlidingWindow(HOUR),
    };
    windows.set(tokenId, { minute, hour });
    const at = now();
    const wait = Math.max(minute.wait(at, requestsPerMinute), hour.wait(at, requestsPerHour));
    if (wait === 0) {
      minute.add(at);
      hour.add(at);
    }
    const remaining = wait > 0 ? 0 : Math.max(0, requestsPerHour - hour.used(at));
    c.header('ratelimit-limit', String(requestsPerHour));
    c.header('ratelimit-remaining', String(remaining));
    c.header('ratelimit-reset', String(Math.ceil(wait > 0 ? at + wait : hour.end(at))));
    if (wait > 0) throw tooManyRequests(Math.ceil(wait));
    await next();
  });
}
