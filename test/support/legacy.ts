import type { Hono } from 'hono';
import { type Logger, pino } from 'pino';
import { inject, onTestFinished } from 'vitest';
import { openDatabase } from '../../db/database.ts';
import { type Latency, latencyOf } from '../../dev/legacy/latency.ts';
import { createMonolith } from '../../dev/legacy/monolith/app.ts';
import { endConfirmedActions } from '../../dev/legacy/monolith/confirmations.ts';
import { Emitter } from '../../dev/legacy/monolith/emit.ts';
import { InnerServices } from '../../dev/legacy/monolith/inner-services.ts';
import { createServices } from '../../dev/legacy/services/app.ts';
import { startServer } from '../../platform/http/server.ts';

const silent = pino({ level: 'silent' });

/** What {@link useLegacy} starts with. */
export interface TestLegacyOptions {
  /** What its inner services take; default nothing. */
  latency?: Latency;
  mysqlUrl?: string;
  /** Where the monolith logs to; default nowhere. */
  logger?: Logger;
}

/** A legacy monolith and its services, in this process. */
export interface TestLegacy {
  url: string;
  close(): Promise<void>;
}

/** A legacy monolith of the running test; answers its base URL. */
export async function useLegacy(options: TestLegacyOptions = {}): Promise<string> {
  const { url, close } = await createLegacy(options);
  onTestFinished(close);
  return url;
}

/** Makes a legacy monolith for the file that calls it, which closes it. */
export async function createLegacy(options: TestLegacyOptions = {}): Promise<TestLegacy> {
  const { latency = latencyOf(0), mysqlUrl = inject('environment').mysqlUrl, logger = silent } = options;
  const db = openDatabase({ url: mysqlUrl, poolSize: 20 });
  const emitter = await Emitter.connect(
    { brokers: inject('environment').kafkaBrokers.split(','), logger },
    latencyOf(0),
  );
  const stopping = new AbortController();
  const services = await serve(createServices({ db, latency }));
  const monolith = await serve(createMonolith({ db, services: new InnerServices(services.url), emitter, logger }));
  const confirming = endConfirmedActions(db, logger, stopping.signal);
  return {
    url: monolith.url,
    async close() {
      stopping.abort();
      await confirming;
      monolith.close();
      services.close();
      await emitter.close();
      await db.destroy();
    },
  };
}

async function serve(app: Pick<Hono, 'fetch'>): Promise<{ url: string; close(): void }> {
  const { server, port } = await startServer({ fetch: (request) => app.fetch(request), host: '127.0.0.1', port: 0 });
  return {
    url: `http://127.0.0.1:${port}`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
