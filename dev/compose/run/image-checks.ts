import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { EnvironmentError } from '../../environment/errors.ts';
import { PROJECT_FOLDER } from '../../environment/paths.ts';
import type { ComposeProject } from './compose-project.ts';

/** The image that is shipped; that of the demo data has the sources, and is not. */
const SHIPPED = 'reserved-ip:development';
const MEBIBYTE = 1024 * 1024;
const lockfileSchema = z.object({ packages: z.record(z.string(), z.object({ dev: z.boolean().optional() })) });

/**
 * Looks into the image that is shipped; answers its size in MiB, with and without its base.
 *
 * @throws {EnvironmentError} when it has sources, or packages that only development needs, or runs as root.
 */
export async function checkShippedImage(project: ComposeProject, base: string): Promise<{ all: number; own: number }> {
  const { docker } = project;
  const listing = await docker.output('run', '--rm', '--network', 'none', '--entrypoint', 'find', SHIPPED, '/app');
  const paths = listing.split('\n').map((path) => path.replace(/^\/app\/?/, ''));
  const packages = await developmentPackages();
  const unwanted = paths.filter(
    (path) =>
      packages.has(path) ||
      /^(dist\/)?(dev|test|docs|examples)(\/|$)/.test(path) ||
      (!path.startsWith('node_modules/') && /(?<!\.d)\.ts$/.test(path)),
  );
  if (unwanted.length > 0) throw new EnvironmentError(`The image has ${unwanted.slice(0, 10).join(', ')}.`);
  if (!paths.includes('dist/api/main.js')) throw new EnvironmentError('The image has no dist/api/main.js.');
  const user = await docker.output('image', 'inspect', '--format', '{{.Config.User}}', SHIPPED);
  if (user !== 'node') throw new EnvironmentError(`The image runs as ${user || 'root'}.`);
  const size = async (image: string) =>
    Number(await docker.output('image', 'inspect', '--format', '{{.Size}}', image)) / MEBIBYTE;
  const all = await size(SHIPPED);
  return { all, own: all - (await size(base)) };
}

/**
 * Tries in the container of each service of the application what must not be possible there.
 *
 * @throws {EnvironmentError} with the services that run as root or can change their files.
 */
export async function checkContainers(project: ComposeProject): Promise<void> {
  // Its home is the user's own, so that nothing but the file system refuses.
  const trial = 'id -u; touch /home/node/file 2> /dev/null && echo changed; touch /tmp/file && echo temporary';
  for (const { name } of project.lasting.filter(({ isBuilt }) => isBuilt)) {
    const [user, ...done] = (await project.execute(name, 'sh', '-c', trial)).split('\n');
    if (user === '0') throw new EnvironmentError(`${name} runs as root.`);
    if (done.join() !== 'temporary')
      throw new EnvironmentError(`${name} has a file system that is not as it should be: ${done}.`);
  }
}

async function developmentPackages(): Promise<ReadonlySet<string>> {
  const text = await readFile(join(PROJECT_FOLDER, 'package-lock.json'), 'utf8');
  const { packages } = lockfileSchema.parse(JSON.parse(text));
  return new Set(Object.entries(packages).flatMap(([path, { dev }]) => (dev === true ? [path] : [])));
}
