import { randomBytes } from 'node:crypto';
import { hashToken } from '../../../db/tokens.ts';

/** A token as its holder gets it, once, and as it is stored. */
export interface NewSecret {
  token: string;
  hash: Buffer;
}

/** Makes a token of 256 random bits. */
export function newToken(prefix: 'rip_' | 'riph_'): NewSecret {
  const token = prefix + randomBytes(32).toString('base64url');
  return { token, hash: hashToken(token) };
}
