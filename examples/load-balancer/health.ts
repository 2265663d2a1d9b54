import type { BalancerNode } from './settings.ts';

/** How {@link HealthChecks} judges. */
export interface HealthOptions {
  nodes: BalancerNode[];
  /** How long one answer may take, in milliseconds. */
  timeoutMs: number;
  /** Checks in a row that a node must fail to be down. */
  failuresNeeded: number;
}

/** Asks every node how it is, and remembers how often in a row it gave no good answer. */
export class HealthChecks {
  readonly #options: HealthOptions;
  readonly #failures = new Map<number, number>();

  constructor(options: HealthOptions) {
    this.#options = options;
  }

  /** Asks all nodes once, at the same time. */
  async check(): Promise<void> {
    await Promise.all(
      this.#options.nodes.map(async (node) => {
        const failures = (await this.#isWell(node)) ? 0 : (this.#failures.get(node.dropletId) ?? 0) + 1;
        this.#failures.set(node.dropletId, failures);
      }),
    );
  }

  /** One lost answer is no reason to move an address. A droplet that is no node any more is down. */
  isDown(dropletId: number): boolean {
    const { failuresNeeded } = this.#options;
    return (this.#failures.get(dropletId) ?? failuresNeeded) >= failuresNeeded;
  }

  /** The first node whose last answer was good. */
  firstWell(): BalancerNode | null {
    return this.#options.nodes.find(({ dropletId }) => this.#failures.get(dropletId) === 0) ?? null;
  }

  async #isWell({ healthUrl }: BalancerNode): Promise<boolean> {
    try {
      const answer = await fetch(healthUrl, { signal: AbortSignal.timeout(this.#options.timeoutMs) });
      await answer.body?.cancel();
      return answer.ok;
    } catch {
      return false;
    }
  }
}
