import { join } from 'node:path';
import type { Provider } from '@openfeature/server-sdk';
import { inject, onTestFinished } from 'vitest';
import { openDatabase } from '../../db/database.ts';
import { until } from '../../dev/kit/until.ts';
import { codePathsNamed } from '../../edge/code-paths.ts';
import { FileProvider } from '../../edge/flags/file-provider.ts';
import { changeSettings } from '../../edge/flags/flag-file.ts';
import type { FlagSetting } from '../../edge/flags/setting.ts';
import { createGateway, type Gateway, type GatewayOptions } from '../../edge/gateway.ts';
import { startServer } from '../../platform/http/server.ts';
import { createLogger } from '../../platform/logging/logger.ts';
import { useFolder } from './folder.ts';
import { collecting } from './log-lines.ts';

/** A gateway in the running test. */
export interface TestGateway {
  url: string;
  gateway: Gateway;
  /** What it has logged, one JSON object a line. */
  log(): string;
  /** One of its metrics; 0 while it has no such value. */
  metric(name: string, labels?: Record<string, string>): Promise<number>;
}

/** What a test's gateway is made with. */
export interface TestGatewayOptions extends Partial<Omit<GatewayOptions, 'db' | 'logger'>> {
  legacyUrl: string;
  apiUrl: string;
  /** Path of the flag file, unless there is a provider. */
  flagFile?: string;
  mysqlUrl?: string;
}

/** A flag file of the running test, in a folder of its own; there is none yet. */
export async function useFlagFile(): Promise<string> {
  return join(await useFolder(), 'flags.json');
}

/** Sets flags in a flag file, as `npm run flip` does. */
export async function setFlags(path: string, paths: string, setting: Partial<FlagSetting>): Promise<void> {
  await changeSettings(path, {
    by: 'test',
    codePaths: codePathsNamed(paths),
    change: (before) => ({ ...before, on: true, ...setting }),
  });
}

/** Starts a gateway that looks at its flags every 10 ms; it is closed when the running test is over. */
export async function useGateway(options: TestGatewayOptions): Promise<TestGateway> {
  const { close, ...gateway } = await startGateway(options);
  onTestFinished(close);
  return gateway;
}

/** The same for the file that calls it, which closes it. */
export async function startGateway(options: TestGatewayOptions): Promise<TestGateway & { close(): Promise<void> }> {
  const { flagFile = '', mysqlUrl = inject('environment').mysqlUrl, ...rest } = options;
  const lines: string[] = [];
  const logger = createLogger({ level: 'info', destination: collecting(lines) });
  const db = openDatabase({ url: mysqlUrl, poolSize: 2 });
  const provider: Provider = options.provider ?? new FileProvider({ path: flagFile, logger, everyMs: 10 });
  const gateway = await createGateway({
    timeouts: { connectMs: 2_000, answerMs: 10_000, bodyMs: 10_000 },
    defaultUpstream: 'legacy',
    trustForwarded: false,
    requestHeaders: [],
    wrongTokensPerMinute: 100,
    shadow: { percent: 0, ignored: ['request_id'] },
    ...rest,
    provider,
    logger,
    db,
  });
  const { server, port } = await startServer({ fetch: gateway.app.fetch, host: '127.0.0.1', port: 0 });
  return {
    url: `http://127.0.0.1:${port}`,
    gateway,
    log: () => lines.join(''),
    metric: (name, labels = {}) => readMetric(gateway, name, labels),
    async close() {
      server.close();
      server.closeAllConnections();
      await gateway.close();
      await db.destroy();
    },
  };
}

/** Sets flags in the file of a running gateway, and waits until it has taken them over. */
export async function changeFlags(
  { log }: TestGateway,
  path: string,
  paths: string,
  setting: Partial<FlagSetting>,
): Promise<void> {
  const takenOver = () => log().split('flags read').length;
  const before = takenOver();
  await setFlags(path, paths, setting);
  await until('the flags were taken over', async () => takenOver() > before);
}

/** The sum of a metric over all values that have these labels. */
async function readMetric(gateway: Gateway, name: string, labels: Record<string, string>): Promise<number> {
  const metrics = await gateway.metrics.registry.getMetricsAsJSON();
  const values = metrics.flatMap(({ values }) => values);
  return values
    .filter((value) => {
      const metricName = 'metricName' in value ? value.metricName : undefined;
      const owner = metrics.find((metric) => metric.values.some((one) => one === value));
      return (metricName ?? owner?.name) === name;
    })
    .filter(({ labels: own }) =>
      Object.entries(labels).every(([key, wanted]) => String(Reflect.get(own, key)) === wanted),
    )
    .reduce((sum, { value }) => sum + value, 0);
}
