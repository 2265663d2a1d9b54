import type { Command } from 'commander';
import { z } from 'zod';
import { shown } from '../../platform/text/visible.ts';
import type { AdminContext } from './context.ts';
import { tableOf } from './output.ts';
import { lastUseColumns, lastUseSchema } from './token-table.ts';

const hostSchema = z.object({
  name: z.string(),
  region: z.string(),
  state: z.string(),
  anchor_cidr: z.string(),
  last_sequence: z.int(),
  unacknowledged_events: z.int(),
  oldest_unacknowledged_at: z.string().nullable(),
});
const hostAnswerSchema = z.object({ host: hostSchema });
const goneSchema = z.object({ host: hostSchema, answered_events: z.int(), untold_operations: z.int() });

/** `host …` */
export function addHostCommands(program: Command, open: () => Promise<AdminContext>): void {
  const host = program.command('host').description('hosts and their tokens');
  const path = (name: string) => `/hosts/${encodeURIComponent(name)}`;

  host
    .command('register <name>')
    .description('register a host; repeating it changes nothing')
    .requiredOption('--region <slug>', 'region of the host')
    .requiredOption('--anchor-cidr <cidr>', 'range from which its droplets get their anchor addresses')
    .action(async (name: string, options: { region: string; anchorCidr: string }) => {
      const { api, print } = await open();
      const body = { region: options.region, anchor_cidr: options.anchorCidr };
      const answer = await api.request(hostAnswerSchema, 'PUT', path(name), body);
      print(answer, shown`host ${name}: ${answer.host.region}, ${answer.host.anchor_cidr}, ${answer.host.state}`);
    });
  host
    .command('list')
    .description('all hosts and what they have not answered')
    .action(async () => {
      const { api, print } = await open();
      const answer = await api.request(z.object({ hosts: z.array(hostSchema) }), 'GET', '/hosts');
      const text = tableOf(answer.hosts, {
        NAME: ({ name }) => name,
        REGION: ({ region }) => region,
        STATE: ({ state }) => state,
        'ANCHOR RANGE': ({ anchor_cidr }) => anchor_cidr,
        'LAST EVENT': ({ last_sequence }) => last_sequence,
        UNANSWERED: ({ unacknowledged_events }) => unacknowledged_events,
        'OLDEST UNANSWERED': ({ oldest_unacknowledged_at }) => oldest_unacknowledged_at,
      });
      print(answer, text);
    });
  host
    .command('token <name>')
    .description('make a token for a host; it is shown this once')
    .action(async (name: string) => {
      const { api, print } = await open();
      const answer = await api.request(z.object({ token: z.string() }), 'POST', `${path(name)}/tokens`);
      print(answer, shown`${answer.token}`);
    });
  host
    .command('tokens <name>')
    .description('tokens of a host, and when and from where each was used last')
    .action(async (name: string) => {
      const { api, print } = await open();
      const schema = z.object({ tokens: z.array(z.object({ id: z.int(), ...lastUseSchema })) });
      const answer = await api.request(schema, 'GET', `${path(name)}/tokens`);
      print(answer, tableOf(answer.tokens, { ID: ({ id }) => id, ...lastUseColumns }));
    });
  host
    .command('revoke-tokens <name>')
    .description('revoke all tokens of a host')
    .action(async (name: string) => {
      const { api, print } = await open();
      const answer = await api.request(z.object({ revoked: z.int() }), 'DELETE', `${path(name)}/tokens`);
      print(answer, shown`${answer.revoked} revoked`);
    });
  host
    .command('gone <name>')
    .description('declare that a host is gone and announces no address any more')
    .action(async (name: string) => {
      const { api, print } = await open();
      const answer = await api.request(goneSchema, 'POST', `${path(name)}/gone`);
      const unnotified =
        answer.untold_operations > 0 ? `; ${answer.untold_operations} operations will find out late` : '';
      print(
        answer,
        shown`host ${name} is ${answer.host.state}; ${answer.answered_events} open events answered${unnotified}`,
      );
    });
  host
    .command('returned <name>')
    .description('take a host that was gone back into service')
    .action(async (name: string) => {
      const { api, print } = await open();
      const answer = await api.request(hostAnswerSchema, 'POST', `${path(name)}/returned`);
      print(answer, shown`host ${name} is ${answer.host.state}`);
    });
}
