import { once } from 'node:events';
import { serve } from '@hono/node-server';
import { ConfigurationError, parseCodecEndpointConfiguration } from '../../config/configuration.ts';
import { createPayloadCodec } from '../payload-codec.ts';
import { createCodecApp } from './app.ts';

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
  console.log(`codec: http://${host}:${typeof address === 'object' && address !== null ? address.port : port}`);
  await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]);
  server.close();
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error instanceof ConfigurationError ? error.message : error);
    process.exit(1);
  },
);
