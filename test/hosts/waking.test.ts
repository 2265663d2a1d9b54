import { setImmediate as turn } from 'node:timers/promises';
import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { WaitingHosts } from '../../api/host-commands/waiting-hosts.ts';
import { useDatabase } from '../support/database.ts';
import { useWatchedDatabase } from '../support/link.ts';

const HOSTS = 200;
/** So that no tick comes in between. */
const NO_TICKS_MS = 3_600_000;

test('waking one host neither reads the commands of the others nor looks at their polls', async () => {
  const several = await useWatchedDatabase(/UNION ALL/);
  const watched = await useWatchedDatabase(/FROM host_events/, several.mysqlUrl);
  const db = useDatabase({ url: watched.mysqlUrl });
  const waitingHosts = new WaitingHosts({ db, logger: pino({ level: 'silent' }), tickMs: NO_TICKS_MS });
  onTestFinished(() => waitingHosts.close());
  const touched: number[] = [];
  const { signal } = new AbortController();
  const wait = (index: number, waitMs: number) => {
    const host = { id: 1_000_000_000 + index, name: `idle-${index}` };
    const limit = 10;
    return waitingHosts.wait({
      get host() {
        touched.push(index);
        return host;
      },
      get after() {
        touched.push(index);
        return 0;
      },
      limit,
      waitMs,
      signal,
    });
  };
  for (let index = 1; index <= HOSTS; index++) void wait(index, 60_000);
  // Rounds come one after the other, so all have been looked at when this one is answered.
  expect(await wait(0, 0)).toEqual([]);
  // That round ends within this turn of the event loop, so what follows begins one of its own.
  await turn();
  touched.length = 0;
  const before = { single: watched.looks(), several: several.looks() };

  waitingHosts.wake(['idle-7']);
  expect(new Set(touched)).toEqual(new Set([7]));
  const next = wait(0, 0);
  touched.length = 0;
  expect(await next).toEqual([]);

  expect(new Set(touched)).toEqual(new Set([0, 7]));
  expect({ single: watched.looks() - before.single, several: several.looks() - before.several }).toEqual({
    single: 2,
    several: 0,
  });
});
