import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join, normalize } from 'node:path';
import { useHttpServer } from '../support/http-server.ts';

/** A Maven repository on loopback, which serves the files of a folder and lies as it is told. */
export class FileRepository {
  url = '';
  readonly #folder: string;
  /** Content by path, in place of what the folder has. */
  readonly #instead = new Map<string, Buffer>();
  /** Paths whose checksums are false. */
  readonly #falseChecksums = new Set<string>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Serves other content under a path, with the checksum of that content. */
  replace(path: string, content: Buffer): void {
    this.#instead.set(path, content);
  }

  /** Serves the right content of a path with the checksum of another. */
  falsifyChecksum(path: string): void {
    this.#falseChecksums.add(path);
  }

  /** What is served under a path; null for nothing. */
  async read(path: string): Promise<Buffer | null> {
    const checked = /^(.+)\.sha1$/.exec(path)?.[1];
    if (checked === undefined) {
      return this.#instead.get(path) ?? readFile(join(this.#folder, normalize(`/${path}`))).catch(() => null);
    }
    const content = await this.read(checked);
    if (content === null) return null;
    const said = this.#falseChecksums.has(checked) ? Buffer.concat([content, content]) : content;
    return Buffer.from(createHash('sha1').update(said).digest('hex'));
  }

  /** Writes settings by which Maven takes everything from here and nothing from anywhere else. */
  async writeSettings(file: string): Promise<void> {
    const mirror = `<mirror><id>loopback</id><mirrorOf>*</mirrorOf><url>${this.url}</url></mirror>`;
    await writeFile(file, `<settings><mirrors>${mirror}</mirrors></settings>\n`);
  }
}

/** A file repository of the running test. */
export async function useFileRepository(folder: string): Promise<FileRepository> {
  const repository = new FileRepository(folder);
  repository.url = await useHttpServer((request, response) => {
    void repository.read(new URL(request.url ?? '/', 'http://repository').pathname.slice(1)).then((content) => {
      response.statusCode = content === null ? 404 : 200;
      response.end(content ?? undefined);
    });
  });
  return repository;
}
