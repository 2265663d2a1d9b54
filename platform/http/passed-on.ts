/** Fields that are meant for the next hop alone (RFC 9110, 7.6.1). */
export const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** What the gateway says itself, or may never say on a client's word. */
const OWN = ['host', 'expect', 'x-request-id', 'via', 'forwarded', 'x-shadow'];

/** Other signs than these are read as hyphens by many servers: `X_Forwarded_For` is another name of `X-Forwarded-For`. */
const PLAIN_NAME = /^[a-z\d-]+$/;

/** Whether a field of this name, in lower case, may be passed on from clients if the legacy upstream needs it. */
export function mayBePassedOn(name: string): boolean {
  return PLAIN_NAME.test(name) && !name.startsWith('x-forwarded') && !HOP_BY_HOP.has(name) && !OWN.includes(name);
}
