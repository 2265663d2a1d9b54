import type { Command } from 'commander';
import { dataOf } from '../../platform/api-client/client.ts';
import { shown } from '../../platform/text/visible.ts';
import type { AdminContext } from './context.ts';
import { tableOf } from './output.ts';
import { lastUseColumns } from './token-table.ts';

/** `host …` */
export function addHostCommands(program: Command, open: () => Promise<AdminContext>): void {
  const host = program.command('host').description('hosts and their tokens');
  const named = (name: string) => ({ params: { path: { name } } });

  host
    .command('register <name>')
    .description('register a host; repeating it changes nothing')
    .requiredOption('--region <slug>', 'region of the host')
    .requiredOption('--anchor-cidr <cidr>', 'range from which its droplets get their anchor addresses')
    .action(async (name: string, options: { region: string; anchorCidr: string }) => {
      const { api, print } = await open();
      const body = { region: options.region, anchor_cidr: options.anchorCidr };
      const answer = await dataOf(api.PUT('/internal/v1/hosts/{name}', { ...named(name), body }));
      print(answer, shown`host ${name}: ${answer.host.region}, ${answer.host.anchor_cidr}, ${answer.host.state}`);
    });
  host
    .command('list')
    .description('list all hosts and their unacknowledged commands')
    .action(async () => {
      const { api, print } = await open();
      const answer = await dataOf(api.GET('/internal/v1/hosts'));
      const text = tableOf(answer.hosts, {
        NAME: ({ name }) => name,
        REGION: ({ region }) => region,
        STATE: ({ state }) => state,
        'ANCHOR RANGE': ({ anchor_cidr }) => anchor_cidr,
        'LAST COMMAND': ({ last_sequence }) => last_sequence,
        UNACKNOWLEDGED: ({ unacknowledged_events }) => unacknowledged_events,
        'OLDEST UNACKNOWLEDGED': ({ oldest_unacknowledged_at }) => oldest_unacknowledged_at,
      });
      print(answer, text);
    });
  host
    .command('token <name>')
    .description('create a token for a host; it is shown only once')
    .action(async (name: string) => {
      const { api, print } = await open();
      const answer = await dataOf(api.POST('/internal/v1/hosts/{name}/tokens', named(name)));
      print(answer, shown`${answer.token}`);
    });
  host
    .command('tokens <name>')
    .description('list tokens of a host, and when and from where each was used last')
    .action(async (name: string) => {
      const { api, print } = await open();
      const answer = await dataOf(api.GET('/internal/v1/hosts/{name}/tokens', named(name)));
      print(answer, tableOf(answer.tokens, { ID: ({ id }) => id, ...lastUseColumns }));
    });
  host
    .command('revoke-tokens <name>')
    .description('revoke all tokens of a host')
    .action(async (name: string) => {
      const { api, print } = await open();
      const answer = await dataOf(api.DELETE('/internal/v1/hosts/{name}/tokens', named(name)));
      print(answer, shown`${answer.revoked} revoked`);
    });
  host
    .command('gone <name>')
    .description('declare that a host is gone and no longer announces any address')
    .action(async (name: string) => {
      const { api, print } = await open();
      const answer = await dataOf(api.POST('/internal/v1/hosts/{name}/gone', named(name)));
      const unnotified =
        answer.untold_operations > 0 ? `; ${answer.untold_operations} operations notice at their next attempt` : '';
      print(
        answer,
        shown`host ${name} is ${answer.host.state}; ${answer.answered_events} open commands given an outcome${unnotified}`,
      );
    });
  host
    .command('returned <name>')
    .description('return a host that was gone to service')
    .action(async (name: string) => {
      const { api, print } = await open();
      const answer = await dataOf(api.POST('/internal/v1/hosts/{name}/returned', named(name)));
      print(answer, shown`host ${name} is ${answer.host.state}`);
    });
}
