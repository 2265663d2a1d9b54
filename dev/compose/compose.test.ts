import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { PROJECT_FOLDER } from '../environment/paths.ts';
import { KAFKA_VERSION } from '../environment/servers/kafka.ts';
import { imagesOfCompose } from './run/compose-images.ts';
import { SERVER, WEB_UI } from './run/temporal-programs.ts';

const serviceSchema = z.object({
  image: z.string().optional(),
  build: z.unknown().optional(),
  healthcheck: z.object({ test: z.unknown().optional(), disable: z.boolean().optional() }).optional(),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).optional(),
  volumes: z.array(z.string()).optional(),
  read_only: z.boolean().optional(),
});
const composeSchema = z.object({
  services: z.record(z.string(), serviceSchema),
  volumes: z.record(z.string(), z.unknown()),
});

async function readCompose() {
  const text = await readFile(join(PROJECT_FOLDER, 'docker-compose.yml'), 'utf8');
  return composeSchema.parse(parse(text, { merge: true }));
}

test('the compose file has every part of the service, each with an image or a build', async () => {
  const { services } = await readCompose();
  expect(Object.keys(services)).toEqual(
    expect.arrayContaining(['mysql', 'kafka', 'temporal', 'temporal-ui', 'migrate', 'api', 'worker', 'host-hv-1']),
  );
  for (const [name, service] of Object.entries(services)) {
    expect(service.image ?? service.build, name).toBeDefined();
  }
});

test('what others wait for to be healthy has a health check, and everything they wait for is there', async () => {
  const { services } = await readCompose();
  const ownImageChecks = /^HEALTHCHECK/m.test(await readFile(join(PROJECT_FOLDER, 'Dockerfile'), 'utf8'));
  for (const [name, { depends_on = {} }] of Object.entries(services)) {
    for (const [dependency, { condition }] of Object.entries(depends_on)) {
      expect(services, `${name} waits for ${dependency}`).toHaveProperty(dependency);
      if (condition !== 'service_healthy') continue;
      const { healthcheck, build } = services[dependency] ?? {};
      const checked = healthcheck?.test !== undefined || (build !== undefined && ownImageChecks);
      expect(checked && healthcheck?.disable !== true, dependency).toBe(true);
    }
  }
});

test('every named volume that is mounted is declared', async () => {
  const { services, volumes } = await readCompose();
  const mounted = Object.values(services).flatMap((service) => service.volumes ?? []);
  const named = mounted.map((mount) => mount.split(':')[0] ?? '').filter((source) => !source.startsWith('.'));
  expect(Object.keys(volumes)).toEqual(expect.arrayContaining([...new Set(named)]));
});

test('what stands in for the images is of the versions that the compose file names', async () => {
  const images = await imagesOfCompose();
  expect([...images.values()]).toEqual(
    expect.arrayContaining([
      `apache/kafka:${KAFKA_VERSION}`,
      `temporalio/server:${SERVER.version.slice(1)}`,
      `temporalio/admin-tools:${SERVER.version.slice(1)}`,
      `temporalio/ui:${WEB_UI.version.slice(1)}`,
    ]),
  );
});

test('no service of the application can change its own files', async () => {
  const { services } = await readCompose();
  const built = Object.entries(services).filter(([, { build }]) => build !== undefined);
  expect(built.map(([name]) => name)).toContain('api');
  for (const [name, service] of built) expect(service.read_only, name).toBe(true);
});
