import { once } from 'node:events';
import { runProcess } from '../../platform/config/run-process.ts';
import { startServer } from '../../platform/http/server.ts';
import { createPayloadCodec } from '../../platform/temporal/payload-codec.ts';
import { print } from '../../platform/text/print.ts';
import { createCodecApp } from './app.ts';
import { parseCodecEndpointConfiguration } from './settings.ts';

/*
 * The codec endpoint as a process of its own, so that neither the API nor the Web UI holds more than they need.
 */

async function main(): Promise<void> {
  const { keys, host, port: asked, ...rest } = parseCodecEndpointConfiguration(process.env);
  const app = createCodecApp({ ...rest, codec: createPayloadCodec(keys) });
  const limits = { headersMs: 5_000, requestMs: 15_000 };
  const { server, port } = await startServer({
    fetch: app.fetch,
    host,
    port: asked,
    portSetting: 'CODEC_PORT',
    limits,
  });
  print(`codec: http://${host}:${port}`);
  await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]);
  server.close();
}

runProcess(main);
