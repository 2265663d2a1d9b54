import { once } from 'node:events';
import { serve } from '@hono/node-server';
import { ConfigurationError, parseCodecEndpointConfiguration } from '../../config/configuration.ts';
import { describeError, print, printError, printUncaughtErrors } from '../../text/print.ts';
import { createPayloadCodec } from '../payload-codec.ts';
import { createCodecApp } from './app.ts';

printUncaughtErrors();

/*
 * The codec endpoint as a process of its own, so that neither the API nor the Web UI holds more than they need.
 */

async function main(): Promise<void> {
  const { keys, host, port, ...rest } = parseCodecEndpointConfiguration(process.env);
  const app = createCodecApp({ ...rest, codec: createPayloadCodec(keys) });
  const server = serve({
    fetch: app.fetch,
    hostname: host,
    port,
    serverOptions: { headersTimeout: 5_000, requestTimeout: 15_000 },
  });
  await once(server, 'listening');
  const address = server.address();
  print(`codec: http://${host}:${typeof address === 'object' && address !== null ? address.port : port}`);
  await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]);
  server.close();
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    printError(error instanceof ConfigurationError ? error.message : describeError(error));
    process.exit(1);
  },
);
