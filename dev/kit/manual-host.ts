import { z } from 'zod';
import { expectAnswer, Http } from './http.ts';
import { until } from './until.ts';

const issuedCommandSchema = z.object({
  sequence: z.int(),
  change: z.enum(['attach', 'detach']),
  address: z.string(),
  generation: z.int(),
  droplet_id: z.int().nullable(),
  anchor: z.string().nullable(),
});
export type SeenHostCommand = z.infer<typeof issuedCommandSchema>;

type Outcome = 'applied' | 'failed' | 'superseded';

/** A host whose every answer the test decides. It speaks the host protocol and applies nothing. */
export class ManualHost {
  readonly name: string;
  readonly http: Http;

  constructor(name: string, apiUrl: string, token: string) {
    this.name = name;
    this.http = new Http(apiUrl, token);
  }

  /** Everything that the host has not acknowledged, at once. */
  async openCommands(): Promise<SeenHostCommand[]> {
    const answer = await this.http.get('/host/v1/events?after=0&wait=0');
    return expectAnswer(answer, 200, z.object({ events: z.array(issuedCommandSchema) })).events;
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
    const answer = await this.http.post('/host/v1/acknowledgments', { acknowledgments: [acknowledgment] });
    const schema = z.object({ results: z.array(z.object({ status: z.string() })) });
    return expectAnswer(answer, 200, schema).results[0]?.status ?? 'missing';
  }

  /** Waits for a command about an address and acknowledges it. */
  async confirm(address: string, change: 'attach' | 'detach'): Promise<SeenHostCommand> {
    const command = await this.command(address, change);
    await this.acknowledge(command);
    return command;
  }
}
