/** The two names under which clients know reserved IPv4 addresses. */
export const RESOURCE_NAMES = ['reserved_ips', 'floating_ips'] as const;
export type ResourceName = (typeof RESOURCE_NAMES)[number];

/** The changes of an address that are asked for by the `type` of an action. */
export const CHANGES = ['assign', 'unassign'] as const;

/** What can be asked for under each of them. */
export const OPERATIONS = [
  'list',
  'show',
  'create_in_region',
  'create_for_droplet',
  'delete',
  ...CHANGES,
  'list_actions',
  'show_action',
] as const;
export type OperationName = (typeof OPERATIONS)[number];

/** One of the 18 ways of a request that are moved one by one; also the name of its flag. */
export type CodePath = `${ResourceName}.${OperationName}`;

export const CODE_PATHS: readonly CodePath[] = RESOURCE_NAMES.flatMap((resourceName) =>
  OPERATIONS.map((operation): CodePath => `${resourceName}.${operation}`),
);

/**
 * The code paths that a person means: `floating_ips.assign` is one, `assign` is that of both families, `floating_ips`
 * all of a family, `all` every one. Empty when the text means nothing.
 */
export function codePathsNamed(text: string): CodePath[] {
  return CODE_PATHS.filter((codePath) => text === 'all' || text === codePath || codePath.split('.').includes(text));
}
