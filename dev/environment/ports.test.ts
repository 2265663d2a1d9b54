import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { EnvironmentError } from './errors.ts';
import { assertPortsFree, choosePorts, listenOnLoopback, PortsTakenError } from './ports.ts';

async function occupy(): Promise<{ port: number; close: () => void }> {
  const server = createServer();
  return { port: await listenOnLoopback(server), close: () => server.close() };
}

test('each default port can be chosen by its variable', async () => {
  expect(await choosePorts('default', {})).toMatchObject({ api: 8080, temporal: 7233, mysql: 13306, kafka: 19092 });
  expect(await choosePorts('default', { MYSQL_PORT: '3307' })).toMatchObject({ mysql: 3307, kafka: 19092 });
});

test('a variable that holds no port number, or the port of another, is named', async () => {
  await expect(choosePorts('default', { API_PORT: 'http' })).rejects.toThrow('API_PORT=http is not a port number');
  await expect(choosePorts('default', { API_PORT: '7233' })).rejects.toThrow(/API_PORT=7233.*TEMPORAL_PORT=7233/);
  await expect(choosePorts('default', { API_PORT: '70000' })).rejects.toBeInstanceOf(EnvironmentError);
});

test('free ports are free, and all different', async () => {
  const ports = await choosePorts('free', {});
  expect(new Set(Object.values(ports)).size).toBe(Object.values(ports).length);
  await assertPortsFree(ports, ['api', 'mysql', 'kafka', 'temporal']);
});

test('all taken ports are named at once, with the process that holds them', async () => {
  const [first, second] = [await occupy(), await occupy()];
  try {
    const ports = await choosePorts('default', { API_PORT: String(first.port), KAFKA_PORT: String(second.port) });
    const checking = assertPortsFree(ports, ['api', 'kafka']);
    await expect(checking).rejects.toBeInstanceOf(PortsTakenError);
    await expect(checking).rejects.toThrow(`port ${first.port} for the API (API_PORT): held by process ${process.pid}`);
    await expect(checking).rejects.toThrow(
      `port ${second.port} for Kafka (KAFKA_PORT): held by process ${process.pid}`,
    );
  } finally {
    first.close();
    second.close();
  }
});
