import type { Admitted } from './verdict.ts';

/** Every host that an admitted operation told something. */
export function hostsOf({ attachTo, detachFrom }: Admitted): string[] {
  return attachTo === null ? detachFrom : [attachTo, ...detachFrom];
}
