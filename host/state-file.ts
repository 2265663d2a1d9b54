import { type FileHandle, open, readFile, rename, writeFile } from 'node:fs/promises';
import type { Address } from '../domain/address.ts';
import type { Generation } from '../domain/host-event.ts';

/** Lines that are out of date before the file is written anew. */
const STALE_LINES = 10_000;

/**
 * The highest generation the host has acted on, for each address. With a file it survives the agent: one line
 * `<address> <generation>` is appended for each rise, so that the cost does not grow with the number of addresses, and
 * rises that come together are written together. Not synced to the disk: after a power cut the host's network is as
 * empty as the file, and the snapshot decides.
 */
export class Generations {
  readonly #path: string | null;
  readonly #highest: Map<Address, Generation>;
  #file: FileHandle | null = null;
  #lines = 0;
  #unwritten: string[] = [];
  #writing: Promise<void> | null = null;

  private constructor(path: string | null, highest: Map<Address, Generation>) {
    this.#path = path;
    this.#highest = highest;
  }

  /** Reads the file, which need not exist; without a path nothing is kept. Throws when it cannot be read or written. */
  static async open(path: string | null): Promise<Generations> {
    const generations = new Generations(path, path === null ? new Map() : parse(await readIfPresent(path)));
    await generations.#rewrite();
    return generations;
  }

  /** The highest generation of an address; null when the host never had to do with it. */
  get(address: Address): Generation | null {
    return this.#highest.get(address) ?? null;
  }

  /** Raises the generation of an address at once; resolves when that is written down. A lower one changes nothing. */
  async raise(address: Address, generation: Generation): Promise<void> {
    if (generation <= (this.get(address) ?? -1)) return this.#writing ?? undefined;
    this.#highest.set(address, generation);
    if (this.#path === null) return;
    this.#unwritten.push(`${address} ${generation}\n`);
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
    await writeFile(`${this.#path}.new`, entries.map(([address, generation]) => `${address} ${generation}\n`).join(''));
    await this.#file?.close();
    await rename(`${this.#path}.new`, this.#path);
    this.#file = await open(this.#path, 'a');
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

/** A last line that a crash cut short has no line end and is not counted: its rise was not confirmed to anyone. */
function parse(text: string): Map<Address, Generation> {
  const highest = new Map<Address, Generation>();
  for (const line of text.split('\n').slice(0, -1)) {
    const match = /^(\S+) (\d+)$/.exec(line);
    if (!match?.[1]) continue;
    highest.set(match[1], Math.max(Number(match[2]), highest.get(match[1]) ?? 0));
  }
  return highest;
}
