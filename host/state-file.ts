import { type FileHandle, open, readFile, rename, rm } from 'node:fs/promises';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { Generation } from '../domain/host-protocol.ts';
import { type CanonicalAddress, canonicalAddressSchema, generationSchema } from './canonical-address.ts';

/** Lines that are out of date before the file is written anew. */
const STALE_LINES = 10_000;

const lineSchema = z.tuple([canonicalAddressSchema, generationSchema]);
type Line = z.infer<typeof lineSchema>;

/** The form of earlier agents, so that what they wrote is not lost. */
const EARLIER_LINE = /^([0-9a-f.:]{2,45}) (\d{1,16})$/;

/**
 * The highest generation the host has acted on, for each address. With a file it survives the agent: one line
 * `["<address>",<generation>]` in JSON is appended for each rise, so that the cost does not grow with the number of addresses, and
 * rises that come together are written together. Not synced to the disk: after a power cut the host's network is as
 * empty as the file, and the snapshot decides.
 */
export class Generations {
  readonly #path: string | null;
  readonly #highest: Map<CanonicalAddress, Generation>;
  #file: FileHandle | null = null;
  #lines = 0;
  #unwritten: string[] = [];
  #writing: Promise<void> | null = null;

  private constructor(path: string | null, highest: Map<CanonicalAddress, Generation>) {
    this.#path = path;
    this.#highest = highest;
  }

  /** Reads the file, which need not exist; without a path nothing is kept. Throws when it cannot be read or written. */
  static async open(path: string | null, logger: Logger): Promise<Generations> {
    const { highest, unreadable } = parse(path === null ? '' : await readIfPresent(path));
    if (unreadable > 0)
      logger.error({ path, lines: unreadable }, 'lines of the state file are no generations: left out');
    const generations = new Generations(path, highest);
    await generations.#rewrite();
    return generations;
  }

  /** The highest generation of an address; null when the host never had to do with it. */
  get(address: CanonicalAddress): Generation | null {
    return this.#highest.get(address) ?? null;
  }

  /** Raises the generation of an address at once; resolves when that is written down. A lower one changes nothing. */
  async raise(address: CanonicalAddress, generation: Generation): Promise<void> {
    if (generation <= (this.get(address) ?? -1)) return this.#writing ?? undefined;
    this.#highest.set(address, generation);
    if (this.#path === null) return;
    this.#unwritten.push(lineOf([address, generation]));
    await this.#flush();
  }

  /** Writes what is left and closes the file. */
  async close(): Promise<void> {
    await this.#writing;
    await this.#file?.close();
    this.#file = null;
  }

  /** What is added during a write goes into the next one; everyone waits for the end of the last. */
  #flush(): Promise<void> {
    this.#writing ??= this.#write().finally(() => {
      this.#writing = null;
    });
    return this.#writing;
  }

  async #write(): Promise<void> {
    while (this.#unwritten.length > 0) {
      const lines = this.#unwritten;
      this.#unwritten = [];
      await this.#file?.appendFile(lines.join(''));
      this.#lines += lines.length;
      if (this.#lines > this.#highest.size + STALE_LINES) await this.#rewrite();
    }
  }

  /** Replaces the file by one without stale lines; a crash leaves either the old one or the new one. */
  async #rewrite(): Promise<void> {
    if (this.#path === null) return;
    const entries = [...this.#highest];
    const draft = `${this.#path}.new`;
    await rm(draft, { force: true });
    // Made anew and never opened: whoever may write to the folder cannot put a link to another file in its place.
    const file = await open(draft, 'ax', 0o600);
    await file.appendFile(entries.map(lineOf).join(''));
    await this.#file?.close();
    await rename(draft, this.#path);
    this.#file = file;
    this.#lines = entries.length;
  }
}

async function readIfPresent(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  }
}

function lineOf(line: Line): string {
  return `${JSON.stringify(line)}\n`;
}

/** A last line that a crash cut short has no line end and is not counted: its rise was not confirmed to anyone. */
function parse(text: string): { highest: Map<CanonicalAddress, Generation>; unreadable: number } {
  const highest = new Map<CanonicalAddress, Generation>();
  let unreadable = 0;
  for (const line of text.split('\n').slice(0, -1)) {
    const parsed = lineSchema.safeParse(valuesOf(line));
    if (!parsed.success) {
      unreadable++;
      continue;
    }
    const [address, generation] = parsed.data;
    highest.set(address, Math.max(generation, highest.get(address) ?? 0));
  }
  return { highest, unreadable };
}

function valuesOf(line: string): unknown {
  const earlier = EARLIER_LINE.exec(line);
  if (earlier) return [earlier[1], Number(earlier[2])];
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
