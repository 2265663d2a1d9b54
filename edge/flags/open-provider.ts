import { access } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Provider } from '@openfeature/server-sdk';
import type { Logger } from 'pino';
import { z } from 'zod';
import { ReadableError } from '../../platform/text/readable-error.ts';
import { shown } from '../../platform/text/visible.ts';
import { FileProvider } from './file-provider.ts';

/** EDGE_FLAGS_PROVIDER names a module that is not there, or that makes no provider. */
export class FlagProviderError extends ReadableError {
  override readonly name = 'FlagProviderError';

  constructor(module: string, problem: string, cause?: unknown) {
    super(shown`EDGE_FLAGS_PROVIDER: ${module} ${problem}`, { cause });
  }
}

/** Which provider, from the configuration. */
export interface ProviderOptions {
  file: string | undefined;
  /** A module whose default export makes the provider. */
  module: string | undefined;
  logger: Logger;
}

const isProvider = (value: unknown): value is Provider =>
  typeof value === 'object' && value !== null && 'resolveBooleanEvaluation' in value && 'metadata' in value;

const providerModule = z.object({ default: z.custom<() => unknown>((value) => typeof value === 'function') });

/**
 * The flag file, or whatever flag service the installation brings a provider for. Throws a {@link FlagProviderError} when
 * its module is not there or makes none.
 */
export async function openProvider({ file, module, logger }: ProviderOptions): Promise<Provider> {
  if (module === undefined) return new FileProvider({ path: file ?? '', logger });
  const path = resolve(module);
  await access(path).catch((error: NodeJS.ErrnoException) => {
    throw new FlagProviderError(module, `cannot be read (${error.code})`, error);
  });
  const { data } = providerModule.safeParse(await import(pathToFileURL(path).href));
  if (data === undefined) throw new FlagProviderError(module, 'exports no function by default');
  const provider = await data.default();
  if (!isProvider(provider)) throw new FlagProviderError(module, 'does not make an OpenFeature provider');
  return provider;
}
