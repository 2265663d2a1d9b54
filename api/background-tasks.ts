/** What a process still does after it has answered, so that it does not end in the middle of it. */
export class BackgroundTasks {
  readonly #running = new Set<Promise<unknown>>();

  /** Takes a task that handles its own errors. */
  add(task: Promise<unknown>): void {
    this.#running.add(task);
    void task.finally(() => this.#running.delete(task));
  }

  /** Waits for everything that was added. */
  async finished(): Promise<void> {
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
  }
}
