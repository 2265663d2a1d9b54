import { expect, inject, test } from 'vitest';
import { Http } from '../support/http.ts';

test('/healthz says to anyone that the process runs', async () => {
  for (const url of [inject('stack').apiUrl, inject('stack').secondApiUrl]) {
    const answer = await new Http(url, null).get('/healthz');
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({ status: 'ok' });
  }
});

test('/readyz says to anyone that MySQL and Temporal answer', async () => {
  for (const url of [inject('stack').apiUrl, inject('stack').secondApiUrl]) {
    const answer = await new Http(url, null).get('/readyz');
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({ status: 'ok', checks: { mysql: 'ok', temporal: 'ok' } });
  }
});
