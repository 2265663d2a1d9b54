import { randomBytes } from 'node:crypto';
import { hashToken } from '../../../db/tokens.ts';
import { TOKEN_PREFIXES, type TokenOwner } from '../../../domain/tokens.ts';

/** A token as its holder gets it, once, and as it is stored. */
export interface NewSecret {
  token: string;
  hash: Buffer;
}

/** Makes a token of 256 random bits. */
export function newToken(owner: TokenOwner): NewSecret {
  const token = TOKEN_PREFIXES[owner] + randomBytes(32).toString('base64url');
  return { token, hash: hashToken(token) };
}
