import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { printJsonLine } from '../../../../platform/text/print.ts';
import { seededRandom } from '../../../kit/random.ts';
import { Customer, type Door } from './customer.ts';
import { openDots } from './dots.ts';
import { openDotsWrapper } from './dots-wrapper.ts';
import { type ClientLine, type ClientPlan, type PlannedCustomer, planSchema } from './record.ts';

/*
 * Plays customers with one of the libraries until SIGTERM, each at a pace of its own that does not change, and prints a
 * JSON line for each request.
 *
 *     node dev/demo/cut-over/clients/main.ts <plan>
 */

/** How long a change that is on its way in the end is waited for. */
const LAST_CHANGE_MS = 30_000;
const LAST_POLL_EVERY_MS = 100;

const plan = planSchema.parse(JSON.parse(await readFile(process.argv[2] ?? '', 'utf8')));
const stopping = new AbortController();
process.once('SIGTERM', () => stopping.abort());
await Promise.all(plan.customers.map((planned) => play(planned, plan)));
process.exit();

async function play(planned: PlannedCustomer, { beatMs, changeEvery, seed }: ClientPlan): Promise<void> {
  const random = seededRandom(seed + planned.accountId);
  const customer = new Customer({ planned, doors: doorsOf(planned), changeEvery, random, record: print });
  const first = performance.now() + planned.phase * beatMs;
  let missedBeats = 0;
  for (let beat = 0; !stopping.signal.aborted && !customer.hasFailed; beat++) {
    const wait = first + beat * beatMs - performance.now();
    if (wait < 0) {
      missedBeats++;
      continue;
    }
    await sleep(wait, null, { signal: stopping.signal }).catch(() => {});
    if (!stopping.signal.aborted) await customer.beat();
  }
  const deadline = performance.now() + LAST_CHANGE_MS;
  while (customer.isWaiting && performance.now() < deadline) {
    await customer.beat();
    await sleep(LAST_POLL_EVERY_MS);
  }
  print(customer.end(missedBeats));
}

function doorsOf({ token }: PlannedCustomer): Door[] {
  return plan.gateways.flatMap((url): Door[] => {
    if (plan.library === 'dots-wrapper') return [{ resourceName: 'floating_ips', client: openDotsWrapper(url, token) }];
    return (['reserved_ips', 'floating_ips'] as const).map((resourceName) => ({
      resourceName,
      client: openDots(url, token, resourceName),
    }));
  });
}

function print(line: ClientLine): void {
  printJsonLine(line);
}
