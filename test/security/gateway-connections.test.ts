import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, inject, onTestFinished, test } from 'vitest';
import { until } from '../../dev/kit/until.ts';
import { useFlagFile } from '../support/gateway.ts';
import { startProgram } from '../support/program.ts';

test('an address has only so many connections to a gateway, and others are answered', async () => {
  const gateway = startProgram('edge/main.ts', [], {
    environment: {
      MYSQL_URL: inject('environment').mysqlUrl,
      LEGACY_URL: 'http://127.0.0.1:1',
      API_URL: 'http://127.0.0.1:1',
      EDGE_FLAGS_FILE: await useFlagFile(),
      EDGE_PORT: '0',
      EDGE_ADDRESS_CONNECTIONS: '20',
    },
  });
  const url = await until('the gateway listens', async () => /"url":"([^"]+)"/.exec(gateway.output)?.[1], 60_000);
  const port = Number(new URL(url).port);
  const open = (localAddress: string) => {
    const socket = connect({ host: '127.0.0.1', port, localAddress });
    socket.on('error', () => socket.destroy());
    onTestFinished(() => {
      socket.destroy();
    });
    return socket;
  };
  let closed = 0;
  for (let number = 0; number < 50; number++) open('127.0.0.2').once('close', () => closed++);
  await expect.poll(() => closed).toBe(30);
  const other = open('127.0.0.3');
  other.write('GET /healthz HTTP/1.1\r\nHost: gateway\r\n\r\n');
  const [answer] = await once(other, 'data');
  expect(String(answer)).toMatch(/^HTTP\/1.1 200/);
});
