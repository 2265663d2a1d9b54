/*
 * Secrets that anybody can read in this project. They are for development; where real addresses are at stake they are no
 * secrets.
 */

/** Those of `docker-compose.yml`: the admin token, and the passwords of MySQL. */
const KNOWN: ReadonlySet<string> = new Set([
  'admin-token-for-development',
  'reserved-ip-development',
  'temporal-development',
  'root-development',
]);
/** Words that stand for "put yours here". */
const PLACEHOLDER =
  /^(<.*>|change[-_ ]?(me|it|this).*|(my|the|your)[-_ ].*|(admin|api|secret|password|token|test|example)([-_ ]?(admin|api|secret|password|token|test|example|\d))*)$/i;
const FEWEST_CHARACTERS = 6;

/** Whether a secret is one that others know, stands for one, or hardly has more than one character. */
export function isKnownSecret(text: string): boolean {
  return KNOWN.has(text) || PLACEHOLDER.test(text) || new Set(text).size < FEWEST_CHARACTERS;
}
