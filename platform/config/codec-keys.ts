import { z } from 'zod';

/** A key of the payload codec. */
export interface CodecKey {
  /** Written beside what it has encrypted, so that the right key is found again. */
  id: string;
  /** 32 bytes, for AES-256. */
  key: Buffer;
}

/** What the payload codec works with. */
export interface CodecKeys {
  /** What encrypts; null when payloads are written as they are. */
  active: CodecKey | null;
  /** What decrypts, the active one included. */
  all: CodecKey[];
}

const KEY_BYTES = 32;
/** In the place of the active key: nothing is encrypted, and the keys after it only decrypt. */
const PLAIN = 'plain';

/**
 * Keys as `id:base64`, separated by commas. The first one encrypts, all of them decrypt. No message repeats the text,
 * because it is secret.
 */
export const codecKeysSchema = z.string().transform((text, context): CodecKeys => {
  const keys: CodecKey[] = [];
  const entries = text.split(',').map((entry) => entry.trim());
  for (const [index, entry] of entries.entries()) {
    if (index === 0 && entry === PLAIN) continue;
    const [, id, base64] = /^([A-Za-z0-9._-]{1,64}):([A-Za-z0-9+/]+={0,2})$/.exec(entry) ?? [];
    const key = Buffer.from(base64 ?? '', 'base64');
    if (id === undefined) report(index, 'is not "id:base64"');
    else if (key.length !== KEY_BYTES) report(index, `"${id}" has ${key.length} bytes instead of ${KEY_BYTES}`);
    else if (keys.some((other) => other.id === id)) report(index, `repeats the id "${id}"`);
    else keys.push({ id, key });
  }
  return { active: entries[0] === PLAIN ? null : (keys[0] ?? null), all: keys };

  function report(index: number, message: string): void {
    context.addIssue({ code: 'custom', message: `key ${index + 1} ${message}` });
  }
});
