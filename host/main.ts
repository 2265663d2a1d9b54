import { InvalidArgumentError, Option } from 'commander';
import type { Logger } from 'pino';
import { runProcess } from '../platform/config/run-process.ts';
import { termination } from '../platform/config/termination.ts';
import { createLogger } from '../platform/logging/logger.ts';
import { commandLine } from '../platform/text/print.ts';
import { runAgent } from './agent.ts';
import { AttachmentPolicy } from './attachment-policy.ts';
import type { NetworkDriver } from './driver.ts';
import { LinuxDriver } from './drivers/linux/driver.ts';
import { type DeviceName, deviceNameSchema } from './drivers/linux/uplink.ts';
import { type Silence, SimulatedDriver } from './drivers/simulated.ts';
import { type HostConfiguration, parseHostConfiguration } from './settings.ts';

/** From the signal to the end, at most. */
const STOP_WITHIN_MS = 5_000;

interface Options {
  host: string;
  driver: 'simulated' | 'linux';
  uplink: DeviceName | undefined;
  remove: boolean | undefined;
  delayMs: number;
  fail: number;
  silent: Silence | undefined;
  networkFile: string | undefined;
  stateFile: string | undefined;
  concurrency: number;
  reconcileSeconds: number;
}

const command = commandLine('host')
  .description(
    'The agent of one host. Reads HOST_API_URL, or else API_URL, and its token from HOST_TOKEN_<NAME> (in capitals, other signs as _) or HOST_TOKEN.',
  )
  .requiredOption('--host <name>', 'name of the host', hostName)
  .addOption(
    new Option('--driver <driver>', 'what changes the network').choices(['simulated', 'linux']).default('simulated'),
  )
  .option('--uplink <device>', 'linux: the device that faces the network', deviceName)
  .option('--remove', 'linux: take everything of the agent off the host, and end')
  .option('--state-file <path>', 'where the highest generations are kept')
  .option('--reconcile-seconds <seconds>', 'time between two comparisons with the desired state', numberFrom(1), 60)
  .option('--concurrency <count>', 'changes of different addresses at a time', numberFrom(1), 1_000)
  .option('--delay-ms <ms>', 'simulated: how long each change takes', numberFrom(0), 0)
  .option('--fail <share>', 'simulated: share of the changes that fail, 0 to 1', numberFrom(0), 0)
  .addOption(
    new Option('--silent [when]', 'simulated: never acknowledge')
      .choices(['before-applying', 'after-applying'])
      .preset('after-applying'),
  )
  .option('--network-file <path>', 'simulated: keep the network in a file, so that it outlives the agent');

async function main(): Promise<void> {
  const options: Options = command.parse().opts();
  if (options.remove) {
    await linuxDriver(options, createLogger({ level: 'info' })).remove();
    return;
  }
  const configuration = readConfiguration(options.host);
  const logger = createLogger({ level: configuration.LOG_LEVEL });
  const stopping = termination({ logger, withinMs: STOP_WITHIN_MS });

  logger.info({ host: options.host, driver: options.driver }, 'agent started');
  await runAgent({
    apiUrl: configuration.apiUrl,
    token: configuration.HOST_TOKEN,
    host: options.host,
    driver: makeDriver(options, logger),
    policy: new AttachmentPolicy({
      addresses: configuration.HOST_ADDRESS_RANGES ?? null,
      anchors: configuration.HOST_ANCHOR_RANGES ?? null,
    }),
    signal: stopping,
    logger,
    stateFile: options.stateFile ?? null,
    concurrency: options.concurrency,
    reconcileIntervalMs: options.reconcileSeconds * 1_000,
  });
  logger.info({ host: options.host }, 'agent stopped');
}

function linuxDriver({ uplink }: Options, logger: Logger): LinuxDriver {
  if (uplink === undefined) return command.error('error: the linux driver needs --uplink');
  return new LinuxDriver({ uplink, logger });
}

function makeDriver(options: Options, logger: Logger): NetworkDriver {
  if (options.driver === 'linux') return linuxDriver(options, logger);
  const { delayMs, fail, silent, networkFile } = options;
  return new SimulatedDriver({
    delayMs,
    failureProbability: fail,
    silence: silent ?? null,
    networkFile: networkFile ?? null,
  });
}

function readConfiguration(host: string): HostConfiguration {
  const own = process.env[`HOST_TOKEN_${host.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}`];
  return parseHostConfiguration({ ...process.env, HOST_TOKEN: own ?? process.env.HOST_TOKEN });
}

function hostName(text: string): string {
  if (/^[^\p{C}\p{Z}]{1,255}$/u.test(text)) return text;
  throw new InvalidArgumentError('A name without spaces and control characters is needed.');
}

function deviceName(text: string): DeviceName {
  const { data, error } = deviceNameSchema.safeParse(text);
  if (data === undefined) throw new InvalidArgumentError(`${error?.issues[0]?.message}.`);
  return data;
}

function numberFrom(least: number) {
  return (text: string): number => {
    const number = Number(text);
    if (!(number >= least)) throw new InvalidArgumentError(`A number from ${least} is needed.`);
    return number;
  };
}

runProcess(main);
