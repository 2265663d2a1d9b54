import { type Command, InvalidArgumentError } from 'commander';
import { dataOf } from '../../platform/api-client/client.ts';
import type { components } from '../../platform/api-client/generated/internal-api.ts';
import { shown } from '../../platform/text/visible.ts';
import type { AdminContext } from './context.ts';
import { wholeNumber } from './numbers.ts';
import { tableOf } from './output.ts';
import { lastUseColumns } from './token-table.ts';

type Account = components['schemas']['InternalAccount'];

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
    .description('create an account')
    .requiredOption('--name <name>', 'name of the account')
    .requiredOption('--email <email>', 'address of its owner')
    .option('--reserved-ip-limit <count>', 'most reserved IPs', wholeNumber)
    .option('--droplet-limit <count>', 'most droplets', wholeNumber)
    .action(async ({ name, email, ...limits }: LimitOptions & { name: string; email: string }) => {
      const { api, print } = await open();
      const answer = await dataOf(api.POST('/internal/v1/accounts', { body: { name, email, ...limitsOf(limits) } }));
      print(answer, accountTable([answer.account]));
    });
  account
    .command('list')
    .description('list all accounts')
    .action(async () => {
      const { api, print } = await open();
      const answer = await dataOf(api.GET('/internal/v1/accounts'));
      print(answer, accountTable(answer.accounts));
    });
  account
    .command('limits')
    .description("change an account's limits")
    .argument('<id>', 'number of the account', wholeNumber)
    .option('--reserved-ip-limit <count>', 'most reserved IPs', wholeNumber)
    .option('--droplet-limit <count>', 'most droplets', wholeNumber)
    .option('--pool-share-held-percent <percent>', 'share of a pool that it may hold, or "default"', percentOrDefault)
    .option(
      '--pool-share-per-hour-percent <percent>',
      'share of a pool that it may release in an hour, or "default"',
      percentOrDefault,
    )
    .action(async (id: number, limits: LimitOptions & ShareOptions) => {
      const { api, print } = await open();
      const body = { ...limitsOf(limits), ...sharesOf(limits) };
      const answer = await dataOf(api.PATCH('/internal/v1/accounts/{id}', { params: { path: { id } }, body }));
      print(answer, accountTable([answer.account]));
    });

  const token = program.command('token').description("customers' tokens");
  token
    .command('create')
    .description('create a token for an account; it is shown only once')
    .argument('<account>', 'number of the account', wholeNumber)
    .requiredOption('--name <name>', 'what the token is for')
    .option('--scope <scope...>', 'what the token may do; everything by default')
    .option('--requests-per-minute <count>', 'rate limit', wholeNumber)
    .option('--requests-per-hour <count>', 'rate limit', wholeNumber)
    .action(async (id: number, options: TokenOptions) => {
      const { api, print } = await open();
      const { name, scope, requestsPerMinute, requestsPerHour } = options;
      const body = {
        name,
        ...(scope !== undefined && { scopes: scope }),
        ...(requestsPerMinute !== undefined && { requests_per_minute: requestsPerMinute }),
        ...(requestsPerHour !== undefined && { requests_per_hour: requestsPerHour }),
      };
      const request = { params: { path: { id } }, body };
      const answer = await dataOf(api.POST('/internal/v1/accounts/{id}/tokens', request));
      print(answer, shown`${answer.token}\n(token ${answer.id} of account ${id})`);
    });
  token
    .command('list')
    .description('list tokens of an account, and when and from where each was used last')
    .argument('<account>', 'number of the account', wholeNumber)
    .action(async (id: number) => {
      const { api, print } = await open();
      const answer = await dataOf(api.GET('/internal/v1/accounts/{id}/tokens', { params: { path: { id } } }));
      const text = tableOf(answer.tokens, {
        ID: (one) => one.id,
        NAME: ({ name }) => name,
        SCOPES: ({ scopes }) => scopes.join(' '),
        ...lastUseColumns,
      });
      print(answer, text);
    });
  token
    .command('revoke')
    .description('revoke a token by its number')
    .argument('<account>', 'number of the account', wholeNumber)
    .argument('<token>', 'number of the token', wholeNumber)
    .action(async (id: number, tokenId: number) => {
      const { api, print } = await open();
      await api.DELETE('/internal/v1/accounts/{id}/tokens/{tokenId}', { params: { path: { id, tokenId } } });
      print({ revoked: true }, shown`token ${tokenId} of account ${id} is revoked`);
    });
}

function limitsOf({ reservedIpLimit, dropletLimit }: LimitOptions) {
  return {
    ...(reservedIpLimit !== undefined && { reserved_ip_limit: reservedIpLimit }),
    ...(dropletLimit !== undefined && { droplet_limit: dropletLimit }),
  };
}

/** As the API takes it: null is the installation's. */
function sharesOf({ poolShareHeldPercent: held, poolSharePerHourPercent: perHour }: ShareOptions) {
  return {
    ...(held !== undefined && { pool_share_held_percent: held === 'default' ? null : held }),
    ...(perHour !== undefined && { pool_share_per_hour_percent: perHour === 'default' ? null : perHour }),
  };
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

function percentOrDefault(text: string): number | 'default' {
  if (text === 'default') return text;
  const percent = wholeNumber(text);
  if (percent > 100) throw new InvalidArgumentError('A percentage is 0 to 100.');
  return percent;
}
