/** Whose token it is, by how it begins. */
export const TOKEN_PREFIXES = { customer: 'rip_', host: 'riph_', operator: 'ripo_' } as const;
export type TokenOwner = keyof typeof TOKEN_PREFIXES;

/** Characters of 256 bits in base64url. */
const SECRET = '[\\w-]{43}';
const FORMS: Record<TokenOwner, RegExp> = {
  customer: new RegExp(`^${TOKEN_PREFIXES.customer}${SECRET}$`),
  host: new RegExp(`^${TOKEN_PREFIXES.host}${SECRET}$`),
  operator: new RegExp(`^${TOKEN_PREFIXES.operator}${SECRET}$`),
};

/** Whether a text has the form that every token of this kind has. Nothing else is looked for in the database. */
export function isTokenOf(owner: TokenOwner, text: string): boolean {
  return FORMS[owner].test(text);
}
