import type { Command } from 'commander';
import { dataOf } from '../../platform/api-client/client.ts';
import { shown } from '../../platform/text/visible.ts';
import type { AdminContext } from './context.ts';
import { wholeNumber } from './numbers.ts';
import { tableOf } from './output.ts';

/** `region …` and `pool …` */
export function addPoolCommands(program: Command, open: () => Promise<AdminContext>): void {
  const region = program.command('region').description('regions');
  region
    .command('put <slug> <name>')
    .description('create or rename a region')
    .action(async (slug: string, name: string) => {
      const { api, print } = await open();
      const request = { params: { path: { slug } }, body: { name } };
      const answer = await dataOf(api.PUT('/internal/v1/regions/{slug}', request));
      print(answer, shown`region ${answer.region.slug}: ${answer.region.name}`);
    });
  region
    .command('list')
    .description('list all regions')
    .action(async () => {
      const { api, print } = await open();
      const answer = await dataOf(api.GET('/internal/v1/regions'));
      print(answer, tableOf(answer.regions, { SLUG: ({ slug }) => slug, NAME: ({ name }) => name }));
    });

  const pool = program.command('pool').description('address pools');
  pool
    .command('import <region> <cidr>')
    .description('import a range; its network and broadcast addresses are left out')
    .action(async (slug: string, cidr: string) => {
      const { api, print } = await open();
      const answer = await dataOf(api.POST('/internal/v1/pools', { body: { region: slug, cidr } }));
      print(
        answer,
        shown`pool ${answer.pool.id}: ${answer.pool.addresses} addresses of ${answer.pool.cidr} in ${slug}`,
      );
    });
  pool
    .command('list')
    .description('list all pools and their use')
    .action(async () => {
      const { api, print } = await open();
      const answer = await dataOf(api.GET('/internal/v1/pools'));
      const text = tableOf(answer.pools, {
        ID: ({ id }) => id,
        REGION: (row) => row.region,
        CIDR: ({ cidr }) => cidr,
        TOTAL: ({ total }) => total,
        FREE: ({ free }) => free,
        QUARANTINED: ({ resting }) => resting,
        RESERVED: ({ reserved }) => reserved,
        ASSIGNED: ({ assigned }) => assigned,
        RELEASING: ({ releasing }) => releasing,
      });
      print(answer, text);
    });
  pool
    .command('accounts <region>')
    .description("list the accounts that have the most of a region's addresses")
    .option('--limit <count>', 'how many of each IP version', wholeNumber, 10)
    .action(async (slug: string, { limit }: { limit: number }) => {
      const { api, print } = await open();
      const request = { params: { path: { slug }, query: { limit } } };
      const answer = await dataOf(api.GET('/internal/v1/regions/{slug}/accounts', request));
      const text = tableOf(answer.accounts, {
        IPV: (row) => row.ip_version,
        ACCOUNT: (row) => row.account_id,
        NAME: ({ name }) => name,
        HELD: ({ held }) => held,
        QUARANTINED: ({ cooling }) => cooling,
        'OF POOL': ({ percent }) => `${percent} %`,
      });
      print(answer, text);
    });
}
