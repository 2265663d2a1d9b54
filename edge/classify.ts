import { z } from 'zod';
import { jsonOf, type RequestBody } from './body.ts';
import { CHANGES, type CodePath, codePathsNamed, RESOURCE_NAMES, type ResourceName } from './code-paths.ts';

const creation = z.looseObject({ droplet_id: z.unknown(), region: z.unknown() }).partial();
const change = z.looseObject({ type: z.enum(CHANGES) });

/**
 * Which creation is asked for, by the API's own rule: a droplet decides, with or without a region. Both of them when the
 * body says neither in a way that the gateway reads: as a form, compressed, or in capitals, another reader may find one.
 */
export function creationPaths(resourceName: ResourceName, body: RequestBody): CodePath[] {
  const { success, data } = creation.safeParse(jsonOf(body));
  if (success && data.droplet_id) return [`${resourceName}.create_for_droplet`];
  if (success && data.region) return [`${resourceName}.create_in_region`];
  return [`${resourceName}.create_in_region`, `${resourceName}.create_for_droplet`];
}

/** Which change of an address is asked for; all when the body names none that is known. */
export function changePaths(resourceName: ResourceName, body: RequestBody): CodePath[] {
  const { success, data } = change.safeParse(jsonOf(body));
  return (success ? [data.type] : CHANGES).map((type): CodePath => `${resourceName}.${type}`);
}

/**
 * The code paths that another reader may find in a path or a method that is none of theirs, such as
 * `/v2/reserved_ips.json`: all of the family whose name it begins with. Empty when it begins with none.
 */
export function similarPaths(path: string): CodePath[] {
  const [, first, second = ''] = path.split('/', 3);
  const resourceName = RESOURCE_NAMES.find((name) => first === 'v2' && second.toLowerCase().startsWith(name));
  return resourceName === undefined ? [] : codePathsNamed(resourceName);
}
