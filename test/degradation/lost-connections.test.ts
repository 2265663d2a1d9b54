import { expect, inject, onTestFinished, test } from 'vitest';
import { readAction } from '../../dev/kit/account.ts';
import { useMysqlProxy } from '../support/link.ts';
import { createPrivateEnvironment } from '../support/private-environment.ts';
import { useReserved } from '../support/reserved.ts';

/** What the API asks MySQL for by itself all the time. */
const BACKGROUND = /signalled_at|(?:from|update) `?outbox/i;
/** More than any request has. */
const STATEMENTS = 10;

test.each([
  ['before the statement has arrived', false],
  ['before the answer has arrived', true],
])('a customer does not see that a connection to MySQL was lost under a request, %s', async (_, answered) => {
  const proxy = await useMysqlProxy(BACKGROUND);
  const environment = await createPrivateEnvironment({ settings: { MYSQL_URL: proxy.mysqlUrl } });
  onTestFinished(() => environment.close());
  await environment.startWorker({ settings: { MYSQL_URL: inject('environment').mysqlUrl } });
  const { world, account, droplet, ip } = await useReserved({ agents: 1, apiUrl: environment.apiUrl });

  const requests = {
    list: () => account.http.get('/v2/reserved_ips'),
    show: () => account.http.get(`/v2/reserved_ips/${ip}`),
    'list actions': () => account.http.get(`/v2/reserved_ips/${ip}/actions`),
    reserve: () => account.http.post('/v2/reserved_ips', { region: world.region }),
    assign: () => account.requestAssign(ip, droplet),
    unassign: () => account.requestUnassign(ip),
  };
  const met: Record<string, number> = {};
  for (let afterStatements = 0; afterStatements < STATEMENTS; afterStatements++) {
    for (const [name, send] of Object.entries(requests)) {
      let dropped = false;
      void proxy.dropNext({ afterStatements, answer: answered }).then(() => {
        dropped = true;
      });
      const answer = await send();
      proxy.disarm();
      expect(answer.status, `${name}, statement ${afterStatements}: ${answer.text}`).toBeLessThan(300);
      if (dropped) met[name] = (met[name] ?? 0) + 1;
      if (answer.status === 201) await account.completed(readAction(answer));
    }
  }

  // Each has several statements, and each of them was lost once.
  for (const name of Object.keys(requests)) expect(met[name], name).toBeGreaterThan(0);
  console.log(`connections lost under a request: ${JSON.stringify(met)}`);
});
