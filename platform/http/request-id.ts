import { randomUUID } from 'node:crypto';

const ACCEPTABLE = /^[\w.:-]{1,128}$/;

/** The name of a request in answers and logs: as its client named it, if that is acceptable, otherwise a new one. */
export function requestIdFrom(given: string | string[] | undefined): string {
  return typeof given === 'string' && ACCEPTABLE.test(given) ? given : randomUUID();
}
