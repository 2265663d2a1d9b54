import { readFile } from 'node:fs/promises';
import { FlagdCore } from '@openfeature/flagd-core';
import {
  type EvaluationContext,
  type JsonValue,
  OpenFeatureEventEmitter,
  ParseError,
  type Provider,
  ProviderEvents,
  type ResolutionDetails,
} from '@openfeature/server-sdk';
import type { Logger } from 'pino';
import { z } from 'zod';

/** Options of {@link FileProvider}. */
export interface FileProviderOptions {
  /** A file in flagd's format. */
  path: string;
  logger: Logger;
  /** How often the file is read, in milliseconds; default 200, so that a change takes effect well within a second. */
  everyMs?: number;
  /** How often a file that cannot be used is complained about, in milliseconds; default 10,000. */
  complainEveryMs?: number;
}

const fileSchema = z.looseObject({ flags: z.record(z.string(), z.looseObject({})) });

/**
 * An OpenFeature provider over a flag file, evaluated in this process by flagd's own library. While the file cannot be
 * used there are no flags at all: an old version of it would be a guess. The whole file is read each time, since a
 * comparison of its times misses a change within their resolution, and one behind a symbolic link.
 */
export class FileProvider implements Provider {
  readonly metadata = { name: 'flag file' };
  readonly runsOn = 'server';
  readonly events = new OpenFeatureEventEmitter();
  readonly #path: string;
  readonly #logger: Logger;
  readonly #everyMs: number;
  readonly #complainEveryMs: number;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  #text: string | null = null;
  #flags: FlagdCore | null = null;
  #complainedAt = Number.NEGATIVE_INFINITY;

  constructor({ path, logger, everyMs = 200, complainEveryMs = 10_000 }: FileProviderOptions) {
    this.#path = path;
    this.#logger = logger;
    this.#everyMs = everyMs;
    this.#complainEveryMs = complainEveryMs;
  }

  /** Reads the file for the first time. Throws when it cannot be used; it is looked at again all the same. */
  async initialize(): Promise<void> {
    const problem = await this.#look();
    this.#lookAgain();
    if (problem !== null) throw new ParseError(problem);
  }

  async onClose(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  async resolveBooleanEvaluation(
    flag: string,
    otherwise: boolean,
    context: EvaluationContext,
  ): Promise<ResolutionDetails<boolean>> {
    return this.#usable().resolveBooleanEvaluation(flag, otherwise, context);
  }

  async resolveStringEvaluation(
    flag: string,
    otherwise: string,
    context: EvaluationContext,
  ): Promise<ResolutionDetails<string>> {
    return this.#usable().resolveStringEvaluation(flag, otherwise, context);
  }

  async resolveNumberEvaluation(
    flag: string,
    otherwise: number,
    context: EvaluationContext,
  ): Promise<ResolutionDetails<number>> {
    return this.#usable().resolveNumberEvaluation(flag, otherwise, context);
  }

  async resolveObjectEvaluation<Value extends JsonValue>(
    flag: string,
    otherwise: Value,
    context: EvaluationContext,
  ): Promise<ResolutionDetails<Value>> {
    return this.#usable().resolveObjectEvaluation(flag, otherwise, context);
  }

  #usable(): FlagdCore {
    if (this.#flags === null) throw new ParseError(`${this.#path} cannot be used`);
    return this.#flags;
  }

  #lookAgain(): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      void this.#look().then(() => this.#lookAgain());
    }, this.#everyMs);
    this.#timer.unref();
  }

  /** Takes over what is in the file; answers what is wrong with it, or null. */
  async #look(): Promise<string | null> {
    try {
      const text = await readFile(this.#path, 'utf8');
      if (text === this.#text && this.#flags !== null) return null;
      const flags = new FlagdCore(undefined, this.#openFeatureLogger());
      fileSchema.parse(JSON.parse(text));
      flags.setConfigurations(text);
      this.#takeOver(text, flags);
      return null;
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      this.#giveUp(problem);
      return problem;
    }
  }

  #takeOver(text: string, flags: FlagdCore): void {
    const wasUsable = this.#flags !== null;
    const isFirst = this.#text === null && this.#timer === undefined;
    this.#text = text;
    this.#flags = flags;
    this.#complainedAt = Number.NEGATIVE_INFINITY;
    this.#logger.info({ path: this.#path, flags: flags.getFlags().size }, 'flags read');
    // The SDK reports the first by itself.
    if (isFirst) return;
    this.events.emit(wasUsable ? ProviderEvents.ConfigurationChanged : ProviderEvents.Ready);
  }

  #giveUp(problem: string): void {
    const wasUsable = this.#flags !== null;
    this.#flags = null;
    if (performance.now() - this.#complainedAt >= this.#complainEveryMs) {
      this.#complainedAt = performance.now();
      this.#logger.error({ path: this.#path, problem }, 'the flag file cannot be used: everything goes to legacy');
    }
    if (wasUsable) this.events.emit(ProviderEvents.Error, { message: problem });
  }

  #openFeatureLogger() {
    const to = (level: 'error' | 'warn' | 'info' | 'debug') => (message: unknown) => {
      this.#logger[level]({ path: this.#path }, String(message));
    };
    return { error: to('error'), warn: to('warn'), info: to('info'), debug: to('debug') };
  }
}
