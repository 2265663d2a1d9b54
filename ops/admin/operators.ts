import type { Command } from 'commander';
import { z } from 'zod';
import { shown } from '../../platform/text/visible.ts';
import type { AdminContext } from './context.ts';
import { tableOf } from './output.ts';
import { lastUseColumns, lastUseSchema } from './token-table.ts';

const tokenSchema = z.object({ id: z.int(), name: z.string(), ...lastUseSchema });

/** `operator-token …` */
export function addOperatorCommands(program: Command, open: () => Promise<AdminContext>): void {
  const operatorToken = program.command('operator-token').description('tokens of operators, each by name');
  const path = (name: string) => `/operators/${encodeURIComponent(name)}/tokens`;

  operatorToken
    .command('create <name>')
    .description('make a token for an operator; it is shown this once')
    .action(async (name: string) => {
      const { api, print } = await open();
      const answer = await api.request(z.object({ id: z.int(), token: z.string() }), 'POST', path(name));
      print(answer, shown`${answer.token}`);
    });
  operatorToken
    .command('list')
    .description('all of them, and when and from where each was used last')
    .action(async () => {
      const { api, print } = await open();
      const schema = z.object({ operator_tokens: z.array(tokenSchema) });
      const answer = await api.request(schema, 'GET', '/operator-tokens');
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
      const answer = await api.request(z.object({ revoked: z.int() }), 'DELETE', path(name));
      print(answer, shown`${answer.revoked} revoked`);
    });
}
