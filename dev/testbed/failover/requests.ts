import { Agent, get } from 'node:http';
import { printJsonLine } from '../../../platform/text/print.ts';

/*
 * The client that customers are: asks the address every 10 ms over a new connection, whatever comes of the requests
 * before, and prints one JSON line for each when it has ended. Stops by itself.
 *
 *     node dev/testbed/failover/requests.ts <url>
 */

const INTERVAL_MS = 10;
const TIMEOUT_MS = 1_000;
const LONGEST_RUN_MS = 120_000;

const [url = ''] = process.argv.slice(2);
const agent = new Agent({ keepAlive: false });
const startedAt = performance.now();

/** Milliseconds since the epoch, with fractions. */
function now(): number {
  return performance.timeOrigin + performance.now();
}

function ask(): void {
  const sentAt = now();
  const end = (by: string | null) => printJsonLine({ sentAt, endedAt: now(), by });
  const request = get(url, { agent, signal: AbortSignal.timeout(TIMEOUT_MS) }, (response) => {
    let text = '';
    response.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    response.on('end', () => end(response.statusCode === 200 ? text.trim() : null));
    response.on('error', () => end(null));
  });
  request.on('error', () => end(null));
}

let sent = 0;
const timer = setInterval(() => {
  const elapsed = performance.now() - startedAt;
  if (elapsed > LONGEST_RUN_MS) clearInterval(timer);
  for (; sent * INTERVAL_MS <= elapsed; sent++) ask();
}, INTERVAL_MS / 2);
process.on('SIGTERM', () => clearInterval(timer));
