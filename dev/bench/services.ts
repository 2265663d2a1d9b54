import { loadavg } from 'node:os';
import { pino } from 'pino';
import { openAdmittingClient } from '../../admission/client.ts';
import { createReservedIpClient } from '../../client/index.ts';
import { commandLine, print, printJson } from '../../platform/text/print.ts';
import { startBenchEnvironment } from './environment.ts';
import { BenchClient } from './http.ts';
import { httpCaller, sdkCaller } from './services/callers.ts';
import { measureSeries } from './services/measure.ts';
import { startPublicPath } from './services/public-path.ts';
import { toServicesMarkdown } from './services/report.ts';

/*
 * `npm run bench:services`: reserve, assign and release by the SDK against the same by a customer, through TLS, the
 * gateway and the public API.
 */

/** As the script in dev/testbed/failover does. */
const QUICK_POLL_MS = 20;
/** As the helpers of godo do; the Terraform provider begins to look after 10 s. */
const READY_MADE_POLL_MS = 5_000;
const WARM_UP_ROUNDS = 15;
/** As the API of the run has them. */
const API_RULES = {
  quarantineSeconds: 300,
  poolShare: {
    heldPercent: 100,
    perHourPercent: 100,
    minimum: 32,
    bindsBelowFreePercent: 50,
    quarantineAllowance: 1_000_000,
  },
};
const API_TIMEOUTS = {
  timeoutMs: 10_000,
  attempts: 5,
  previousHostTimeoutMs: 3_000,
  stuckAfterMs: 30_000,
  billingStuckAfterMs: 300_000,
};

const options = commandLine('bench:services')
  .description('Measures operations by the SDK against the same through TLS, the gateway and the public API, in turns.')
  .option('--json', 'print JSON instead of tables', false)
  .option('--rounds <number>', 'interleaved rounds', Number, 200)
  .option('--ready-made-rounds <number>', 'interleaved rounds in which customers poll every 5 s', Number, 12)
  .option('--workers <number>', 'worker processes beside the API', Number, 1)
  .option('--no-embedded-worker', 'run no worker inside the API process')
  .parse()
  .opts<{ json: boolean; rounds: number; readyMadeRounds: number; workers: number; embeddedWorker: boolean }>();

const environment = await startBenchEnvironment(
  { workers: options.workers, embeddedWorker: options.embeddedWorker },
  1,
);
const db = environment.running.openDatabase(1);
const admitting = openAdmittingClient({
  db: environment.running.openDatabase(20),
  temporal: environment.temporal,
  logger: pino({ level: 'silent' }),
  rules: API_RULES,
  timeouts: API_TIMEOUTS,
});
try {
  const { tlsUrl, gatewayUrl, certificateAuthority } = await startPublicPath(environment.running);
  const { token } = environment.customer;
  const kept = new BenchClient(tlsUrl, token, { certificateAuthority });
  const fresh = new BenchClient(tlsUrl, token, { certificateAuthority, keepAlive: false });
  const sdk = sdkCaller(createReservedIpClient({ temporal: environment.temporal }), environment.customer);
  const callers = {
    sdk,
    database: sdkCaller(admitting, environment.customer),
    public: httpCaller(kept, QUICK_POLL_MS),
    fresh: httpCaller(fresh, QUICK_POLL_MS),
    gateway: httpCaller(new BenchClient(gatewayUrl, token), QUICK_POLL_MS),
    api: httpCaller(environment.api, QUICK_POLL_MS),
  };
  const before = loadavg()[0] ?? 0;
  await measureSeries({ environment, db, callers, rounds: WARM_UP_ROUNDS });
  const quick = await measureSeries({ environment, db, callers, rounds: options.rounds });
  const readyMade = await measureSeries({
    ...{ environment, db, rounds: options.readyMadeRounds },
    callers: { sdk, public: httpCaller(kept, READY_MADE_POLL_MS) },
  });
  const results = {
    load: [before, loadavg()[0] ?? 0] satisfies [number, number],
    quick: { ...quick, pollMs: QUICK_POLL_MS },
    readyMade: { ...readyMade, pollMs: READY_MADE_POLL_MS },
  };
  if (options.json) printJson(results);
  else print(toServicesMarkdown(results));
} finally {
  await admitting.close();
  await environment.close();
}
