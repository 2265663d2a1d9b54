import type { Database } from '../../db/database.ts';
import { listOpenCommands } from '../../db/host-commands.ts';
import type { IssuedHostCommand } from '../../domain/host-protocol.ts';
import type { WaitingPoll } from './waiting-poll.ts';

/** The polls whose commands have to be read, each with the sequence that its host is known to have reached. */
export class DuePolls {
  readonly #db: Database;
  #due = new Map<WaitingPoll, number>();

  constructor(db: Database) {
    this.#db = db;
  }

  add(waiting: WaitingPoll, upTo: number): void {
    this.#due.set(waiting, upTo);
  }

  /** False when it was not due. */
  delete(waiting: WaitingPoll): boolean {
    return this.#due.delete(waiting);
  }

  get isEmpty(): boolean {
    return this.#due.size === 0;
  }

  /** Reads the commands of all that are due, in one query, and answers the polls that have some. Throws the database's own errors. */
  async look(): Promise<void> {
    if (this.isEmpty) return;
    const due = this.#due;
    this.#due = new Map();
    const at = performance.now();
    const answers = await this.#read(due);
    for (const [index, [waiting, upTo]] of [...due].entries()) {
      if (!waiting.isWaiting) continue;
      const { after, waitMs } = waiting.poll;
      waiting.knowledge = { after, upTo: Math.max(after, upTo, waiting.knowledge?.upTo ?? 0), at };
      const commands = answers[index] ?? [];
      if (commands.length > 0 || waitMs === 0) waiting.finish(commands);
    }
  }

  async #read(due: ReadonlyMap<WaitingPoll, number>): Promise<IssuedHostCommand[][]> {
    const requests = [...due.keys()].map(({ poll: { host, after, limit } }) => ({ hostId: host.id, after, limit }));
    try {
      return await listOpenCommands(this.#db, requests);
    } catch (error) {
      for (const [waiting, upTo] of due) {
        if (waiting.knowledge !== null && waiting.isWaiting) this.#due.set(waiting, upTo);
      }
      throw error;
    }
  }
}
