import { z } from 'zod';
import { BenchClient } from '../../http.ts';
import type { Admitted, HostCommand, OperationRequest } from './operation.ts';

/** Tells hosts what to do, over kept connections. */
export class HostTeller {
  readonly #clients = new Map<string, BenchClient>();

  /**
   * Resolves when the host has taken the command; it answers later to `reply`.
   *
   * @throws {Error} when the host cannot be reached or does not take it.
   */
  async tell(request: OperationRequest, admitted: Admitted, reply: HostCommand['reply']): Promise<void> {
    const command: HostCommand = {
      operationId: request.operationId,
      address: request.address,
      change: request.dropletId === null ? 'detach' : 'attach',
      generation: admitted.generation,
      reply,
    };
    const client = this.#clients.get(admitted.hostUrl) ?? new BenchClient(admitted.hostUrl, '');
    this.#clients.set(admitted.hostUrl, client);
    await client.send({ method: 'POST', path: '/commands', status: 202, schema: z.unknown() }, command);
  }
}
