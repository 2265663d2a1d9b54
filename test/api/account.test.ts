import { expect, test } from 'vitest';
import { useCustomer } from '../support/reserved.ts';

test('GET /v2/account shows the account and its limits', async () => {
  const { account } = await useCustomer({ agents: 0, reservedIpLimit: 3, dropletLimit: 25 });

  const answer = await account.http.get('/v2/account');

  const name = expect.stringMatching(/^account-/);
  const uuid = expect.stringMatching(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/);
  expect(answer.status).toBe(200);
  expect(answer.body).toEqual({
    account: {
      droplet_limit: 25,
      floating_ip_limit: 3,
      reserved_ip_limit: 3,
      email: expect.stringMatching(/@example\.com$/),
      name,
      uuid,
      email_verified: true,
      status: 'active',
      status_message: '',
      team: { uuid, name },
    },
  });
});
