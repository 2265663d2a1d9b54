import { join } from 'node:path';
import { type Logger, pino } from 'pino';
import { onTestFinished } from 'vitest';
import { runAgent } from '../../host/agent.ts';
import type { AttachmentPolicy } from '../../host/attachment-policy.ts';
import type { NetworkDriver } from '../../host/driver.ts';
import { useFolder } from './folder.ts';

/** What an agent of a test runs with. */
export interface TestAgentOptions {
  apiUrl: string;
  token: string;
  driver: NetworkDriver;
  stateFile?: string;
  reconcileIntervalMs?: number;
  policy?: AttachmentPolicy;
  /** Says nothing when absent. */
  logger?: Logger;
}

/** An agent that a test starts and stops as it likes. */
export interface TestAgent {
  /** Lets it end what is on its way. */
  stop(): Promise<void>;
  /** Ends it in the middle of its changes: those that it has begun are never acknowledged. */
  kill(): Promise<void>;
}

/** Runs the real agent of a host, at the latest until the running test is over. */
export function startAgent({ driver, logger = pino({ level: 'silent' }), ...options }: TestAgentOptions): TestAgent {
  const stopping = new AbortController();
  let dead = false;
  const never = () => new Promise<never>(() => {});
  /** A killed agent neither begins a change nor hears of the end of one. */
  async function whileAlive<Result>(change: () => Promise<Result>): Promise<Result> {
    if (dead) return never();
    const result = await change();
    return dead ? never() : result;
  }
  const running = runAgent({
    ...options,
    host: 'test',
    driver: {
      attach: (attachment) => whileAlive(() => driver.attach(attachment)),
      detach: (address, generation) => whileAlive(() => driver.detach(address, generation)),
      list: () => driver.list(),
      withdraw: () => whileAlive(() => driver.withdraw()),
      isCutOff: () => driver.isCutOff(),
      watch: (onCarrier, signal) => driver.watch(onCarrier, signal),
    },
    signal: stopping.signal,
    logger,
    waitSeconds: 2,
    stopTimeoutMs: 200,
  });
  const stop = async () => {
    stopping.abort();
    await running;
  };
  const kill = async () => {
    dead = true;
    await stop();
  };
  onTestFinished(kill);
  return { stop, kill };
}

/** A path for a state file of the running test. */
export async function useStateFile(): Promise<string> {
  return join(await useFolder(), 'generations');
}
