/** Whose token it is, by how it begins. */
export const TOKEN_PREFIXES = { customer: 'rip_', host: 'riph_', operator: 'ripo_' } as const;
export type TokenOwner = keyof typeof TOKEN_PREFIXES;

/** 256 bits in base64url. */
const SECRET = /^[\w-]{43}$/;

/** Whether a text has the form that every token of this kind has. Nothing else is looked for in the database. */
export function isTokenOf(owner: TokenOwner, text: string): boolean {
  const prefix = TOKEN_PREFIXES[owner];
  return text.startsWith(prefix) && SECRET.test(text.slice(prefix.length));
}
