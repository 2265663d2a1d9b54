import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inject, onTestFinished } from 'vitest';
import { z } from 'zod';
import type { Account } from '../../dev/kit/account.ts';
import { expectAnswer } from '../../dev/kit/http.ts';
import { until } from '../../dev/kit/until.ts';
import { startServer } from '../../platform/http/server.ts';
import { useFolder } from '../support/folder.ts';
import { type Program, startProgram } from '../support/program.ts';
import type { World } from '../support/world.ts';
import { hasPython, pythonPackagesFolder } from './python.ts';

/** One of the examples of a load-balancer controller, and how it is run. */
export interface Example {
  name: string;
  script: string;
  interpreter?: string;
  environment: Record<string, string>;
  /** Whether it can be run on this machine; `npm test` says why when it cannot. */
  available: boolean;
}

/** All of them. */
export const EXAMPLES: Example[] = [
  { name: 'TypeScript', script: 'examples/load-balancer/main.ts', environment: {}, available: true },
  {
    name: 'Python',
    script: 'examples/load-balancer-python/main.py',
    interpreter: 'python3',
    environment: { PYTHONPATH: pythonPackagesFolder(), PYTHONUNBUFFERED: '1', PYTHONDONTWRITEBYTECODE: '1' },
    available: await hasPython(),
  },
];

/** A load balancer whose health can be asked for. */
export interface TestNode {
  dropletId: number;
  healthUrl: string;
  /** From now on nobody answers there. */
  die(): void;
}

/** Serves the health of a droplet until the running test is over. */
export async function useNode(dropletId: number): Promise<TestNode> {
  const { server, port } = await startServer({ fetch: () => new Response('well'), host: '127.0.0.1', port: 0 });
  const die = () => {
    server.close();
    server.closeAllConnections();
  };
  onTestFinished(die);
  return { dropletId, healthUrl: `http://127.0.0.1:${port}/health`, die };
}

const stateSchema = z.object({
  address: z.string().nullable(),
  activeDropletId: z.int().nullable(),
  pending: z.object({ kind: z.string(), operationId: z.string() }).nullable(),
  phase: z.string(),
});

/** A controller of a test: what it is run with, and what it remembers. */
export class TestController {
  readonly #example: Example;
  readonly #environment: Record<string, string>;
  readonly #stateFile: string;

  constructor(example: Example, environment: Record<string, string>, stateFile: string) {
    this.#example = example;
    this.#environment = environment;
    this.#stateFile = stateFile;
  }

  /** Starts its process, which is killed when the running test is over. */
  start(): Program {
    const { script, interpreter, environment } = this.#example;
    return startProgram(script, [], {
      environment: { ...environment, ...this.#environment, STATE_FILE: this.#stateFile },
      ...(interpreter !== undefined && { interpreter }),
    });
  }

  /** What its state file says; null while there is none. */
  state(): z.infer<typeof stateSchema> | null {
    try {
      return stateSchema.parse(JSON.parse(readFileSync(this.#stateFile, 'utf8')));
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
      throw error;
    }
  }

  /** Waits until it has noted that the address is on a droplet; answers the address. */
  async holds(dropletId: number): Promise<string> {
    return until(`the controller noted that the address is on droplet ${dropletId}`, async () => {
      const state = this.state();
      return state?.activeDropletId === dropletId && state.pending === null ? state.address : null;
    });
  }
}

/** Makes a controller for some nodes of an account; it is not started. */
export async function useController(
  example: Example,
  { region }: World,
  account: Account,
  nodes: TestNode[],
  settings: Record<string, string>,
): Promise<TestController> {
  const folder = await useFolder();
  const environment = {
    TEMPORAL_ADDRESS: inject('environment').temporalAddress,
    ACCOUNT_ID: String(account.id),
    REGION: region,
    NODES: nodes.map(({ dropletId, healthUrl }) => `${dropletId}=${healthUrl}`).join(','),
    CHECK_EVERY_MS: '50',
    // A busy machine must not look like a dead node.
    CHECK_TIMEOUT_MS: '5000',
    ...settings,
  };
  return new TestController(example, environment, join(folder, 'state.json'));
}

/** The addresses that an account holds. */
export async function heldBy({ http }: Account): Promise<string[]> {
  const answer = await http.get('/v2/reserved_ips?per_page=200');
  const schema = z.object({ reserved_ips: z.array(z.object({ ip: z.string() })) });
  return expectAnswer(answer, 200, schema).reserved_ips.map(({ ip }) => ip);
}

/** Everything that was done to the addresses of an account, oldest first, with its outcome. */
export async function actionsOf({ http }: Account): Promise<string[]> {
  const answer = await http.get('/v2/actions?per_page=200');
  const schema = z.object({ actions: z.array(z.object({ id: z.int(), type: z.string(), status: z.string() })) });
  return expectAnswer(answer, 200, schema)
    .actions.filter(({ type }) => type.endsWith('_ip'))
    .toSorted((left, right) => left.id - right.id)
    .map(({ type, status }) => `${type} ${status}`);
}
