import { randomUUID } from 'node:crypto';
import { type Client, OpenFeature, type Provider, ProviderEvents } from '@openfeature/server-sdk';
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import type { CodePath } from '../code-paths.ts';
import type { EdgeMetrics } from '../metrics.ts';

/** What {@link openFlags} needs. */
export interface FlagsOptions {
  /** Any OpenFeature provider; the flags are booleans, true for the new upstream. */
  provider: Provider;
  logger: Logger;
  metrics: EdgeMetrics;
}

/** Which upstream a user is on; `usable` is false when the flags could not say, which means legacy. */
export interface FlagAnswer {
  isNew: boolean;
  usable: boolean;
}

/** The flags of the code paths. */
export interface Flags {
  ask(codePath: CodePath, user: string): Promise<FlagAnswer>;
  close(): Promise<void>;
}

/** One complaint about a flag in this time, however many requests ask for it. */
const COMPLAIN_EVERY_MS = 10_000;

/** Binds the provider to a name of its own, so that others in the process are left alone. Never throws: flags that cannot be asked mean legacy. */
export async function openFlags({ provider, logger, metrics }: FlagsOptions): Promise<Flags> {
  const domain = `edge-${randomUUID()}`;
  const client: Client = OpenFeature.getClient(domain);
  const usable = (is: boolean) => () => metrics.flagSourceUsable.set(is ? 1 : 0);
  client.addHandler(ProviderEvents.Ready, usable(true));
  client.addHandler(ProviderEvents.ConfigurationChanged, usable(true));
  client.addHandler(ProviderEvents.Error, usable(false));
  usable(false)();
  await OpenFeature.setProviderAndWait(domain, provider).catch((error: unknown) => {
    logger.error({ err: error }, 'the flag source cannot be used: everything goes to legacy');
  });
  const complained = new LRUCache<string, true>({ max: 100, ttl: COMPLAIN_EVERY_MS });

  return {
    async ask(codePath, user) {
      const { value, errorCode, errorMessage } = await client.getBooleanDetails(codePath, false, {
        targetingKey: user,
      });
      if (errorCode === undefined) return { isNew: value, usable: true };
      metrics.flagFailures.inc({ code_path: codePath });
      if (!complained.has(codePath)) {
        complained.set(codePath, true);
        logger.error({ codePath, errorCode, errorMessage }, 'the flag cannot be asked: its requests go to legacy');
      }
      return { isNew: false, usable: false };
    },
    async close() {
      await provider.onClose?.();
    },
  };
}
