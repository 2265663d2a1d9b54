import { expect, test } from 'vitest';
import { useDatabase } from '../support/database.ts';
import { useCustomer } from '../support/reserved.ts';

test.each([
  ['is as long as what is kept', `10.0.0.9 via 10.0.0.1${' '.repeat(110)}x`],
  ['names a peer', '10.0.0.9 via 10.0.0.1'],
  ['ends in a long text', `192.0.2.1, ${'x'.repeat(200)}`],
])('the audit log keeps the peer of a request whose X-Forwarded-For %s', async (_, forwarded) => {
  const { account } = await useCustomer({ agents: 0 });
  await account.http.send('DELETE', '/v2/reserved_ips/none', { headers: { 'x-forwarded-for': forwarded } });
  const entry = await useDatabase()
    .selectFrom('audit_log')
    .select('remote')
    .where('account_id', '=', account.id)
    .orderBy('id', 'desc')
    .executeTakeFirst();
  expect(entry).toEqual({ remote: '127.0.0.1' });
});
