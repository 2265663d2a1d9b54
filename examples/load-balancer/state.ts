import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';

/** One operation that the controller has decided on, under the id that it keeps however often it is started. */
const stepSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('reserve'), operationId: z.uuid() }),
  z.object({ kind: z.literal('assign'), operationId: z.uuid(), dropletId: z.int() }),
  z.object({ kind: z.literal('release'), operationId: z.uuid() }),
]);
export type Step = z.infer<typeof stepSchema>;

const stateSchema = z.object({
  /** Null before it is reserved. */
  address: z.string().nullable(),
  /** The droplet that the address was last brought to; null before. */
  activeDropletId: z.int().nullable(),
  /** Written before it is started and taken out when it is over, so a step that is here may have happened or not. */
  pending: stepSchema.nullable(),
  /** Once the address is released there is nothing more to do, and no second one is reserved. */
  phase: z.enum(['keeping', 'releasing', 'released']),
});
export type State = z.infer<typeof stateSchema>;

/** What the controller remembers over its own end. The example in Python reads and writes the same file. */
export class StateFile {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** Null when there is no file. Throws when there is one that cannot be read: to begin anew would reserve again. */
  read(): State | null {
    try {
      return stateSchema.parse(JSON.parse(readFileSync(this.#path, 'utf8')));
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
      throw error;
    }
  }

  /** On the disk when it returns; a crash in between leaves the former state whole. */
  write(state: State): void {
    const draft = `${this.#path}.new`;
    const file = openSync(draft, 'w');
    writeSync(file, `${JSON.stringify(state)}\n`);
    fsyncSync(file);
    closeSync(file);
    renameSync(draft, this.#path);
    const folder = openSync(dirname(this.#path), 'r');
    fsyncSync(folder);
    closeSync(folder);
  }
}
