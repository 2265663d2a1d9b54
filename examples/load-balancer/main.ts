import { setTimeout as sleep } from 'node:timers/promises';
import { createReservedIpClient } from '../../client/index.ts';
import { runProcess } from '../../platform/config/run-process.ts';
import { aborted, termination } from '../../platform/config/termination.ts';
import { createLogger } from '../../platform/logging/logger.ts';
import { openTemporalClient } from '../../platform/temporal/connection.ts';
import { Controller } from './controller.ts';
import { HealthChecks } from './health.ts';
import { parseLoadBalancerConfiguration } from './settings.ts';
import { StateFile } from './state.ts';

/*
 * An example of an internal service: keeps one reserved address on a load balancer that is well, with Temporal and no
 * database. SIGTERM ends it and leaves the address where it is; SIGUSR2 gives the address back first. One process for
 * one state file. See docs/internal-services.md.
 */

const STOP_WITHIN_MS = 5_000;

async function main(): Promise<void> {
  const configuration = parseLoadBalancerConfiguration(process.env);
  const logger = createLogger({ name: 'load-balancer', level: configuration.LOG_LEVEL });
  const stopping = termination({ logger, withinMs: STOP_WITHIN_MS });
  const temporal = openTemporalClient(configuration.temporal);
  const controller = new Controller({
    reservedIps: createReservedIpClient({ temporal, service: 'load-balancer' }),
    health: new HealthChecks({
      nodes: configuration.NODES,
      timeoutMs: configuration.CHECK_TIMEOUT_MS,
      failuresNeeded: configuration.FAILURES_NEEDED,
    }),
    stateFile: new StateFile(configuration.STATE_FILE),
    accountId: configuration.ACCOUNT_ID,
    region: configuration.REGION,
    reservedIp: configuration.RESERVED_IP ?? null,
    logger,
  });
  process.on('SIGUSR2', () => controller.release());
  logger.info({ nodes: configuration.NODES }, 'started');
  while (!stopping.aborted && !controller.released) {
    // A step that waits for a host is not waited for when the process is to end: the next one takes it up.
    await Promise.race([controller.round(), aborted(stopping)]);
    if (!controller.released) await sleep(configuration.CHECK_EVERY_MS, null, { signal: stopping }).catch(() => {});
  }
  logger.info(controller.released ? 'the address was given back' : 'stopped');
}

runProcess(main);
