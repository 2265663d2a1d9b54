import type { z } from 'zod';
import {
  type AccountAnswer,
  accountAnswer,
  type DropletAnswer,
  dropletAnswer,
  type PlacementAnswer,
  placementAnswer,
  type SessionAnswer,
  sessionAnswer,
} from '../services/contract.ts';

/** Asks the session and the inventory service over HTTP; each question is one request, and is not repeated. */
export class InnerServices {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  session(authorization: string): Promise<SessionAnswer | null> {
    return this.#ask('/session', sessionAnswer, { authorization });
  }

  account(accountId: number): Promise<AccountAnswer | null> {
    return this.#ask(`/accounts/${accountId}`, accountAnswer);
  }

  droplet(accountId: number, dropletId: number): Promise<DropletAnswer['droplet'] | null> {
    const path = `/accounts/${accountId}/droplets/${dropletId}`;
    return this.#ask(path, dropletAnswer).then((answer) => answer?.droplet ?? null);
  }

  placement(dropletId: number): Promise<PlacementAnswer | null> {
    return this.#ask(`/droplets/${dropletId}/placement`, placementAnswer);
  }

  async #ask<Schema extends z.ZodType>(
    path: string,
    schema: Schema,
    headers: Record<string, string> = {},
  ): Promise<z.infer<Schema> | null> {
    const response = await fetch(this.#url + path, { headers });
    const body: unknown = await response.json();
    if (response.status === 404) return null;
    if (!response.ok) throw new Error(`${path} answered ${response.status}`);
    return schema.parse(body);
  }
}
