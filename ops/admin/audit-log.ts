import type { Command } from 'commander';
import { z } from 'zod';
import type { AdminContext } from './context.ts';
import { tableOf } from './output.ts';

const entrySchema = z.object({
  id: z.int(),
  at: z.string(),
  requester: z.object({
    kind: z.string(),
    name: z.string().nullable(),
    request_id: z.string().nullable(),
    remote: z.string().nullable(),
  }),
  account_id: z.int().nullable(),
  action: z.string(),
  subject: z.string(),
  outcome: z.string(),
  detail: z.string().nullable(),
});

/** `audit-log …` */
export function addAuditLogCommands(program: Command, open: () => Promise<AdminContext>): void {
  program
    .command('audit-log')
    .description('who asked for which change, and what came of it')
    .command('list')
    .description('newest first')
    .option('--subject <subject>', 'an address, or such as "token 7", "host hv-1", "account 3"')
    .option('--account <id>', 'number of an account')
    .option('--since <time>', 'RFC 3339')
    .option('--until <time>', 'RFC 3339, not included')
    .option('--before <id>', 'only entries with a lower number')
    .option('--limit <count>', 'most entries, up to 1000', '100')
    .action(async (options: Record<string, string>) => {
      const { api, print } = await open();
      const path = `/audit-log?${new URLSearchParams(options)}`;
      const answer = await api.request(z.object({ entries: z.array(entrySchema) }), 'GET', path);
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
