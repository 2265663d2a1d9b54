import type { Command } from 'commander';
import { dataOf } from '../../platform/api-client/client.ts';
import type { AdminContext } from './context.ts';
import { wholeNumber } from './numbers.ts';
import { tableOf } from './output.ts';

interface ListOptions {
  subject?: string;
  account?: number;
  since?: string;
  until?: string;
  before?: number;
  limit: number;
}

/** `audit-log …` */
export function addAuditLogCommands(program: Command, open: () => Promise<AdminContext>): void {
  program
    .command('audit-log')
    .description('who asked for which change, and its outcome')
    .command('list')
    .description('list entries, newest first')
    .option('--subject <subject>', 'an address, or such as "token 7", "host hv-1", "account 3"')
    .option('--account <id>', 'number of an account', wholeNumber)
    .option('--since <time>', 'RFC 3339')
    .option('--until <time>', 'RFC 3339, not included')
    .option('--before <id>', 'only entries with a lower number', wholeNumber)
    .option('--limit <count>', 'most entries, up to 1000', wholeNumber, 100)
    .action(async (options: ListOptions) => {
      const { api, print } = await open();
      const answer = await dataOf(api.GET('/internal/v1/audit-log', { params: { query: options } }));
      const text = tableOf(answer.entries, {
        ID: ({ id }) => id,
        AT: ({ at }) => at,
        WHO: ({ requester: { kind, name } }) => (name === null ? kind : `${kind} ${name}`),
        FROM: ({ requester: { remote } }) => remote,
        ACCOUNT: ({ account_id }) => account_id,
        ACTION: ({ action }) => action,
        SUBJECT: ({ subject }) => subject,
        OUTCOME: ({ outcome }) => outcome,
        DETAIL: ({ detail }) => detail,
        REQUEST: ({ requester: { request_id } }) => request_id,
      });
      print(answer, text);
    });
}
