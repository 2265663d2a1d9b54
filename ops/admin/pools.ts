import type { Command } from 'commander';
import { z } from 'zod';
import { shown } from '../../platform/text/visible.ts';
import type { AdminContext } from './context.ts';
import { tableOf } from './output.ts';

const regionSchema = z.object({ slug: z.string(), name: z.string() });
const importedSchema = z.object({
  pool: z.object({ id: z.int(), cidr: z.string(), region: z.string(), addresses: z.int() }),
});
const poolSchema = z.object({
  id: z.int(),
  cidr: z.string(),
  region: z.string(),
  total: z.int(),
  free: z.int(),
  resting: z.int(),
  reserved: z.int(),
  assigned: z.int(),
  releasing: z.int(),
});

const poolAccountSchema = z.object({
  ip_version: z.int(),
  account_id: z.int(),
  name: z.string(),
  held: z.int(),
  cooling: z.int(),
  percent: z.number(),
});

/** `region …` and `pool …` */
export function addPoolCommands(program: Command, open: () => Promise<AdminContext>): void {
  const region = program.command('region').description('regions');
  region
    .command('put <slug> <name>')
    .description('make a region, or rename it')
    .action(async (slug: string, name: string) => {
      const { api, print } = await open();
      const path = `/regions/${encodeURIComponent(slug)}`;
      const answer = await api.request(z.object({ region: regionSchema }), 'PUT', path, { name });
      print(answer, shown`region ${answer.region.slug}: ${answer.region.name}`);
    });
  region
    .command('list')
    .description('all regions')
    .action(async () => {
      const { api, print } = await open();
      const answer = await api.request(z.object({ regions: z.array(regionSchema) }), 'GET', '/regions');
      print(answer, tableOf(answer.regions, { SLUG: ({ slug }) => slug, NAME: ({ name }) => name }));
    });

  const pool = program.command('pool').description('address pools');
  pool
    .command('import <region> <cidr>')
    .description('add a range; its network and broadcast address are left out')
    .action(async (slug: string, cidr: string) => {
      const { api, print } = await open();
      const answer = await api.request(importedSchema, 'POST', '/pools', { region: slug, cidr });
      print(
        answer,
        shown`pool ${answer.pool.id}: ${answer.pool.addresses} addresses of ${answer.pool.cidr} in ${slug}`,
      );
    });
  pool
    .command('list')
    .description('all pools and their use')
    .action(async () => {
      const { api, print } = await open();
      const answer = await api.request(z.object({ pools: z.array(poolSchema) }), 'GET', '/pools');
      const text = tableOf(answer.pools, {
        ID: ({ id }) => id,
        REGION: (row) => row.region,
        CIDR: ({ cidr }) => cidr,
        TOTAL: ({ total }) => total,
        FREE: ({ free }) => free,
        RESTING: ({ resting }) => resting,
        RESERVED: ({ reserved }) => reserved,
        ASSIGNED: ({ assigned }) => assigned,
        RELEASING: ({ releasing }) => releasing,
      });
      print(answer, text);
    });
  pool
    .command('accounts <region>')
    .description("the accounts that have the most of a region's addresses")
    .option('--limit <count>', 'how many of each IP version', '10')
    .action(async (slug: string, { limit }: { limit: string }) => {
      const { api, print } = await open();
      const path = `/regions/${encodeURIComponent(slug)}/accounts?limit=${encodeURIComponent(limit)}`;
      const answer = await api.request(z.object({ accounts: z.array(poolAccountSchema) }), 'GET', path);
      const text = tableOf(answer.accounts, {
        IPV: (row) => row.ip_version,
        ACCOUNT: (row) => row.account_id,
        NAME: ({ name }) => name,
        HELD: ({ held }) => held,
        COOLING: ({ cooling }) => cooling,
        'OF POOL': ({ percent }) => `${percent} %`,
      });
      print(answer, text);
    });
}
