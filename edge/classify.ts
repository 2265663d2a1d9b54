import { z } from 'zod';
import { jsonOf, type RequestBody } from './body.ts';
import type { CodePath, Family } from './code-paths.ts';

const creation = z.looseObject({ droplet_id: z.unknown(), region: z.unknown() }).partial();
const change = z.looseObject({ type: z.enum(['assign', 'unassign']) });

/**
 * Which creation is asked for, by the API's own rule: a droplet decides, with or without a region. Null when the body
 * says neither; then both stacks would refuse it.
 */
export function creationPath(family: Family, body: RequestBody): CodePath | null {
  const { success, data } = creation.safeParse(jsonOf(body));
  if (success && data.droplet_id) return `${family}.create_for_droplet`;
  if (success && data.region) return `${family}.create_in_region`;
  return null;
}

/** Which change of an address is asked for; null when the body names none that is known. */
export function changePath(family: Family, body: RequestBody): CodePath | null {
  const { success, data } = change.safeParse(jsonOf(body));
  return success ? `${family}.${data.type}` : null;
}
