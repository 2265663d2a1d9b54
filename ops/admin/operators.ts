import type { Command } from 'commander';
import { dataOf } from '../../platform/api-client/client.ts';
import { shown } from '../../platform/text/visible.ts';
import type { AdminContext } from './context.ts';
import { tableOf } from './output.ts';
import { lastUseColumns } from './token-table.ts';

/** `operator-token …` */
export function addOperatorCommands(program: Command, open: () => Promise<AdminContext>): void {
  const operatorToken = program.command('operator-token').description('tokens of operators, each by name');
  const named = (name: string) => ({ params: { path: { name } } });

  operatorToken
    .command('create <name>')
    .description('create a token for an operator; it is shown only once')
    .action(async (name: string) => {
      const { api, print } = await open();
      const answer = await dataOf(api.POST('/internal/v1/operators/{name}/tokens', named(name)));
      print(answer, shown`${answer.token}`);
    });
  operatorToken
    .command('list')
    .description('list all of them, and when and from where each was used last')
    .action(async () => {
      const { api, print } = await open();
      const answer = await dataOf(api.GET('/internal/v1/operator-tokens'));
      print(
        answer,
        tableOf(answer.operator_tokens, { NAME: ({ name }) => name, ID: ({ id }) => id, ...lastUseColumns }),
      );
    });
  operatorToken
    .command('revoke <name>')
    .description('revoke all tokens of an operator')
    .action(async (name: string) => {
      const { api, print } = await open();
      const answer = await dataOf(api.DELETE('/internal/v1/operators/{name}/tokens', named(name)));
      print(answer, shown`${answer.revoked} revoked`);
    });
}
