import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProcessStart, ProcessSupervisor, RunningProcess } from '../../dev/environment/processes.ts';
import { outputOf } from '../../dev/environment/servers/tools.ts';
import { until } from '../../dev/kit/until.ts';

const SIZE_MEGABYTES = 64;
const MOUNTED_TIMEOUT_MS = 5_000;
const FILLER = 'filler';

/**
 * A small disk of Kafka's own, that can be filled: a file system in memory, mounted in a mount namespace that only
 * Kafka is in. It is gone with the last process in there, so nothing can be left mounted.
 */
export class KafkaDisk {
  readonly #folder: string;
  readonly #holder: RunningProcess;

  private constructor(folder: string, holder: RunningProcess) {
    this.#folder = folder;
    this.#holder = holder;
  }

  /** Mounts it over a folder; null where that is not allowed. */
  static async mount(supervisor: ProcessSupervisor, folder: string): Promise<KafkaDisk | null> {
    if (process.getuid?.() !== 0 || (await outputOf('unshare', ['--mount', 'true'])) === undefined) return null;
    await mkdir(folder, { recursive: true });
    const holder = await supervisor.start({
      name: 'kafka-disk',
      role: 'server',
      command: 'unshare',
      arguments: [
        ...['--mount', '--propagation', 'private', 'sh', '-c'],
        ...['mount -t tmpfs -o "size=$1m" none "$2" && touch "$2/.mounted" && exec sleep infinity'],
        ...['sh', String(SIZE_MEGABYTES), folder],
      ],
    });
    const disk = new KafkaDisk(folder, holder);
    await until('the disk of Kafka was mounted', () => disk.#exists('.mounted'), MOUNTED_TIMEOUT_MS);
    return disk;
  }

  /** The same start, in the namespace of the disk. */
  enter(start: ProcessStart): ProcessStart {
    const namespace = `--mount=/proc/${this.#holder.pid}/ns/mnt`;
    return { ...start, command: 'nsenter', arguments: [namespace, start.command, ...start.arguments] };
  }

  /** Writes until there is no space left. */
  async fill(): Promise<void> {
    const file = await open(this.#path(FILLER), 'w');
    try {
      for (let size = 1 << 20; size >= 1; ) {
        const written = await file.write(Buffer.alloc(size)).then(
          ({ bytesWritten }) => bytesWritten === size,
          (error: unknown) => {
            if (error instanceof Error && 'code' in error && error.code === 'ENOSPC') return false;
            throw error;
          },
        );
        if (!written) size >>= 4;
      }
    } finally {
      await file.close();
    }
  }

  /** Gives the space back. */
  async free(): Promise<void> {
    await rm(this.#path(FILLER), { force: true });
  }

  async #exists(name: string): Promise<boolean> {
    const file = await open(this.#path(name)).catch(() => null);
    await file?.close();
    return file !== null;
  }

  #path(name: string): string {
    return join(`/proc/${this.#holder.pid}/root`, this.#folder, name);
  }
}
