import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Provider } from '@openfeature/server-sdk';
import type { Logger } from 'pino';
import { z } from 'zod';
import { FileProvider } from './file-provider.ts';

/** Which provider, from the configuration. */
export interface ProviderOptions {
  file: string | undefined;
  /** A module whose default export makes the provider. */
  module: string | undefined;
  logger: Logger;
}

const isProvider = (value: unknown): value is Provider =>
  typeof value === 'object' && value !== null && 'resolveBooleanEvaluation' in value && 'metadata' in value;

const providerModule = z.object({
  default: z.custom<() => unknown>((value) => typeof value === 'function', 'must export a function by default'),
});

/** The flag file, or whatever flag service the installation brings a provider for. Throws when its module makes none. */
export async function openProvider({ file, module, logger }: ProviderOptions): Promise<Provider> {
  if (module === undefined) return new FileProvider({ path: file ?? '', logger });
  const { default: create } = providerModule.parse(await import(pathToFileURL(resolve(module)).href));
  const provider = await create();
  if (!isProvider(provider)) throw new TypeError(`${module} does not make an OpenFeature provider`);
  return provider;
}
