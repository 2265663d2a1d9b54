import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { z } from 'zod';
import { PROJECT_FOLDER } from '../../environment/paths.ts';
import type { RegisteredHost } from '../../kit/operator.ts';
import type { AgentOrder } from './agent-process.ts';

/** A process that runs real agents. */
export class IdleAgents {
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess) {
    this.#process = process;
  }

  /** Starts the agents of these hosts, evenly over `spreadMs`; it is not waited for the last one. */
  static start(apiUrl: string, hosts: RegisteredHost[], spreadMs: number): IdleAgents {
    const agents = new IdleAgents(fork(join(PROJECT_FOLDER, 'dev/bench/idle/agent-process.ts')));
    agents.#send({ kind: 'run', apiUrl, hosts, spreadMs });
    return agents;
  }

  /** How many requests they have sent up to now. */
  async requests(): Promise<number> {
    this.#send({ kind: 'count' });
    const [count] = await once(this.#process, 'message', { signal: AbortSignal.timeout(5_000) });
    return z.int().parse(count);
  }

  async stop(): Promise<void> {
    const exited = once(this.#process, 'exit');
    this.#process.disconnect();
    await exited;
  }

  #send(order: AgentOrder): void {
    this.#process.send(order);
  }
}
