/**
 * What looks like a secret by itself: tokens of every kind that is made here, and a bearer token of any kind, also when they stand
 * in a path that is percent-encoded. Each expression reads a text once.
 */
const TOKENS: readonly [pattern: RegExp, instead: string][] = [
  [/(rip[a-z]?_)[A-Za-z0-9_-]{16,}/g, '$1…'],
  [/(Bearer(?:\s|%20)+)[\w.~+/=-]{8,}/gi, '$1…'],
];

/** What an address can be part of: everything between white space and quotes. */
const RUN = /[^\s"]+/g;
const SCHEME_END = '://';

/** The same text with what looks like a secret masked, in time that grows with its length. */
export function withoutSecrets(text: string): string {
  const masked = TOKENS.reduce((rest, [pattern, instead]) => rest.replace(pattern, instead), text);
  return masked.includes(SCHEME_END) ? masked.replace(RUN, withoutPassword) : masked;
}

/**
 * Masks from the first `scheme://user:` to the last `@`, since a password may have each of the characters that end one in
 * a well-formed address. What stands between two addresses of one run is masked with it.
 */
function withoutPassword(run: string): string {
  const lastAt = run.lastIndexOf('@');
  for (let at = run.indexOf(SCHEME_END); at !== -1 && at < lastAt; at = run.indexOf(SCHEME_END, at + 1)) {
    let end = at + SCHEME_END.length;
    while (end < lastAt && !'/:@'.includes(run.charAt(end))) end++;
    if (end < lastAt && run.charAt(end) === ':') return `${run.slice(0, end + 1)}…${run.slice(lastAt)}`;
  }
  return run;
}
