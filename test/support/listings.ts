import { z } from 'zod';
import type { Account } from '../../dev/kit/account.ts';
import { expectAnswer } from '../../dev/kit/http.ts';

/** All that an account sees of itself, for comparing before and after what must change nothing. */
export async function readListings(account: Account): Promise<unknown[]> {
  const paths = [
    '/v2/account',
    '/v2/reserved_ips?per_page=200',
    '/v2/reserved_ipv6?per_page=200',
    '/v2/droplets?per_page=200',
    '/v2/actions?per_page=200',
  ];
  return Promise.all(paths.map(async (path) => expectAnswer(await account.http.get(path), 200, z.looseObject({}))));
}
