import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { PROJECT_FOLDER } from '../../environment/paths.ts';

const composeSchema = z.object({
  services: z.record(z.string(), z.object({ image: z.string(), build: z.unknown().optional() })),
});

/** The images that `docker-compose.yml` and the Dockerfile take from a registry: `repository:tag` by repository. */
export async function imagesOfCompose(): Promise<ReadonlyMap<string, string>> {
  const text = await readFile(join(PROJECT_FOLDER, 'docker-compose.yml'), 'utf8');
  const { services } = composeSchema.parse(parse(text, { merge: true }));
  const dockerfile = await readFile(join(PROJECT_FOLDER, 'Dockerfile'), 'utf8');
  const bases = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, image = '']) => image);
  const used = Object.values(services).flatMap(({ image, build }) => (build === undefined ? [image] : []));
  return new Map([...used, ...bases].map((image) => [image.split(':')[0] ?? image, image]));
}
