import { type ApiClient, dataOf, openApiClient } from '../../platform/api-client/client.ts';
import type { components } from '../../platform/api-client/generated/internal-api.ts';
import { Http } from './http.ts';
import { until } from './until.ts';

export type SeenHostCommand = components['schemas']['HostCommand'];

type Outcome = components['schemas']['HostAcknowledgment']['outcome'];

/** A host whose every answer the test decides. It speaks the host protocol and applies nothing. */
export class ManualHost {
  readonly name: string;
  /** For requests that are not well-formed. */
  readonly http: Http;
  readonly api: ApiClient;

  constructor(name: string, apiUrl: string, token: string) {
    this.name = name;
    this.http = new Http(apiUrl, token);
    this.api = openApiClient({ baseUrl: apiUrl, token });
  }

  /** Everything that the host has not acknowledged, at once. */
  async openCommands(): Promise<SeenHostCommand[]> {
    return (await dataOf(this.api.GET('/host/v1/events', { params: { query: { after: 0, wait: 0 } } }))).events;
  }

  /** Waits for an unacknowledged command about an address; the newest one if there are several. */
  async command(address: string, change: 'attach' | 'detach', after = 0): Promise<SeenHostCommand> {
    return until(`${this.name} was commanded to ${change} ${address}`, async () =>
      (await this.openCommands())
        .filter((command) => command.address === address && command.change === change && command.sequence > after)
        .at(-1),
    );
  }

  /** Acknowledges one command; answers what the API says became of it. */
  async acknowledge(
    { sequence, generation }: { sequence: number; generation: number },
    outcome: Outcome = 'applied',
    message?: string,
  ): Promise<string> {
    const acknowledgment = { sequence, generation, outcome, ...(message === undefined ? {} : { message }) };
    const body = { acknowledgments: [acknowledgment] };
    return (await dataOf(this.api.POST('/host/v1/acknowledgments', { body }))).results[0]?.status ?? 'missing';
  }

  /** Waits for a command about an address and acknowledges it. */
  async confirm(address: string, change: 'attach' | 'detach'): Promise<SeenHostCommand> {
    const command = await this.command(address, change);
    await this.acknowledge(command);
    return command;
  }
}
