import { type Command, InvalidArgumentError } from 'commander';
import { z } from 'zod';
import { shown } from '../../platform/text/visible.ts';
import type { AdminContext } from './context.ts';
import { tableOf } from './output.ts';
import { lastUseColumns, lastUseSchema } from './token-table.ts';

const accountSchema = z.object({
  id: z.int(),
  uuid: z.string(),
  name: z.string(),
  email: z.string(),
  reserved_ip_limit: z.int(),
  droplet_limit: z.int(),
  pool_share_held_percent: z.int().nullable(),
  pool_share_per_hour_percent: z.int().nullable(),
});
const accountAnswerSchema = z.object({ account: accountSchema });
type Account = z.infer<typeof accountSchema>;

const tokenSchema = z.object({ id: z.int(), name: z.string(), scopes: z.array(z.string()), ...lastUseSchema });

interface LimitOptions {
  reservedIpLimit?: number;
  dropletLimit?: number;
}

interface ShareOptions {
  poolShareHeldPercent?: number | 'default';
  poolSharePerHourPercent?: number | 'default';
}

interface TokenOptions {
  name: string;
  scope?: string[];
  requestsPerMinute?: number;
  requestsPerHour?: number;
}

/** `account …` and `token …` */
export function addAccountCommands(program: Command, open: () => Promise<AdminContext>): void {
  const account = program.command('account').description('accounts and their limits');
  account
    .command('create')
    .description('make an account')
    .requiredOption('--name <name>', 'name of the account')
    .requiredOption('--email <email>', 'address of its owner')
    .option('--reserved-ip-limit <count>', 'most reserved IPs', wholeNumber)
    .option('--droplet-limit <count>', 'most droplets', wholeNumber)
    .action(async ({ name, email, ...limits }: LimitOptions & { name: string; email: string }) => {
      const { api, print } = await open();
      const answer = await api.request(accountAnswerSchema, 'POST', '/accounts', { name, email, ...limitsOf(limits) });
      print(answer, accountTable([answer.account]));
    });
  account
    .command('list')
    .description('all accounts')
    .action(async () => {
      const { api, print } = await open();
      const answer = await api.request(z.object({ accounts: z.array(accountSchema) }), 'GET', '/accounts');
      print(answer, accountTable(answer.accounts));
    });
  account
    .command('limits <id>')
    .description("change an account's limits")
    .option('--reserved-ip-limit <count>', 'most reserved IPs', wholeNumber)
    .option('--droplet-limit <count>', 'most droplets', wholeNumber)
    .option('--pool-share-held-percent <percent>', 'most of a pool that it may hold, or "default"', percentOrDefault)
    .option('--pool-share-per-hour-percent <percent>', 'most of a pool in an hour, or "default"', percentOrDefault)
    .action(async (id: string, limits: LimitOptions & ShareOptions) => {
      const { api, print } = await open();
      const path = `/accounts/${encodeURIComponent(id)}`;
      const answer = await api.request(accountAnswerSchema, 'PATCH', path, {
        ...limitsOf(limits),
        pool_share_held_percent: shareOf(limits.poolShareHeldPercent),
        pool_share_per_hour_percent: shareOf(limits.poolSharePerHourPercent),
      });
      print(answer, accountTable([answer.account]));
    });

  const token = program.command('token').description("customers' tokens");
  token
    .command('create <account>')
    .description('make a token for an account; it is shown this once')
    .requiredOption('--name <name>', 'what the token is for')
    .option('--scope <scope...>', 'what it may do; everything when left out')
    .option('--requests-per-minute <count>', 'rate limit', wholeNumber)
    .option('--requests-per-hour <count>', 'rate limit', wholeNumber)
    .action(async (id: string, options: TokenOptions) => {
      const { api, print } = await open();
      const answer = await api.request(
        z.object({ id: z.int(), token: z.string() }),
        'POST',
        `/accounts/${encodeURIComponent(id)}/tokens`,
        {
          name: options.name,
          scopes: options.scope,
          requests_per_minute: options.requestsPerMinute,
          requests_per_hour: options.requestsPerHour,
        },
      );
      print(answer, shown`${answer.token}\n(token ${answer.id} of account ${id})`);
    });
  token
    .command('list <account>')
    .description('tokens of an account, and when and from where each was used last')
    .action(async (id: string) => {
      const { api, print } = await open();
      const path = `/accounts/${encodeURIComponent(id)}/tokens`;
      const answer = await api.request(z.object({ tokens: z.array(tokenSchema) }), 'GET', path);
      const text = tableOf(answer.tokens, {
        ID: (one) => one.id,
        NAME: ({ name }) => name,
        SCOPES: ({ scopes }) => scopes.join(' '),
        ...lastUseColumns,
      });
      print(answer, text);
    });
  token
    .command('revoke <account> <token>')
    .description('revoke a token by its number')
    .action(async (id: string, tokenId: string) => {
      const { api, print } = await open();
      const path = `/accounts/${encodeURIComponent(id)}/tokens/${encodeURIComponent(tokenId)}`;
      await api.request(z.null(), 'DELETE', path);
      print({ revoked: true }, shown`token ${tokenId} of account ${id} is revoked`);
    });
}

function limitsOf({ reservedIpLimit, dropletLimit }: LimitOptions) {
  return { reserved_ip_limit: reservedIpLimit, droplet_limit: dropletLimit };
}

function accountTable(accounts: Account[]): string {
  return tableOf(accounts, {
    ID: ({ id }) => id,
    UUID: ({ uuid }) => uuid,
    NAME: ({ name }) => name,
    EMAIL: ({ email }) => email,
    'POOL HELD': (row) => percentCell(row.pool_share_held_percent),
    'POOL PER HOUR': (row) => percentCell(row.pool_share_per_hour_percent),
    'RESERVED IPS': ({ reserved_ip_limit }) => reserved_ip_limit,
    DROPLETS: ({ droplet_limit }) => droplet_limit,
  });
}

function percentCell(percent: number | null): string {
  return percent === null ? 'default' : `${percent} %`;
}

/** As the API takes it: null is the installation's. */
function shareOf(percent: number | 'default' | undefined): number | null | undefined {
  return percent === 'default' ? null : percent;
}

function percentOrDefault(text: string): number | 'default' {
  if (text === 'default') return text;
  const percent = wholeNumber(text);
  if (percent > 100) throw new InvalidArgumentError('A percentage is 0 to 100.');
  return percent;
}

function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('A whole number is needed.');
  return Number(text);
}
