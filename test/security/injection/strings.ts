/*
 * Texts that mean something to a SQL server when a value is put into a statement badly.
 */

/** What an injected statement sets limits to; no account has it otherwise. */
export const INJECTED_LIMIT = 4_242;
const UPDATE = `UPDATE accounts SET reserved_ip_limit = ${INJECTED_LIMIT}`;

/**
 * How the values end in the INSERT of an audit entry after the subject, and after the request's id; without another quote,
 * which would be escaped as the first one is. 0x72656675736564 is `rejected`.
 */
const AFTER_SUBJECT = ', 0x72656675736564, NULL, NULL)';
const AFTER_REQUEST_ID = ', NULL, NULL, 0x61, 0x73, 0x72656675736564, NULL, NULL)';

const closing = ["'", "\\'", '"', '\\"', '`'];
const tails = ['', ')', '))', AFTER_SUBJECT, AFTER_REQUEST_ID];

/** Every one is tried at every door. */
export const HOSTILE_STRINGS: readonly string[] = [
  ...closing,
  ...closing.flatMap((close) => tails.map((tail) => `${close}${tail}; ${UPDATE}; -- `)),
  ...closing.map((close) => `${close}${AFTER_SUBJECT};${UPDATE}#`),
  ...closing.map((close) => `${close} OR ${close}1${close}=${close}1`),
  // Quotes whose second quote would be taken for the end.
  "''",
  "a''b",
  "'''",
  "\\''",
  "a'b\\",
  '\\',
  '\\\\',
  '\\\\\\',
  'ends with \\',
  // Comments.
  `*/ ${UPDATE}; /*`,
  `/*!50000 ${UPDATE} */`,
  `/*M! ${UPDATE} */`,
  '-- ',
  '--',
  '#',
  "'/*",
  '*/',
  // Placeholders of drivers and templates.
  '?',
  '??',
  "'?'",
  ':name',
  '@@version',
  '%s',
  '{{7*7}}',
  '$1',
  '_',
  '%',
  // Characters with a quote or a backslash among their bytes in GBK, Big5, SJIS and GB18030, and what UTF-8 decoders once took for one.
  `\u7e17'; ${UPDATE}; -- `,
  `\u8868'${AFTER_SUBJECT}; ${UPDATE}; -- `,
  '\u30bd\\',
  "\u00bf'",
  "\u00bf\\'",
  '\uff07',
  '\u02bc',
  '\u2019',
  '\u2216',
  // What ends a C string, a line or a file.
  `a\0'${AFTER_SUBJECT}; ${UPDATE}; -- `,
  '\0',
  '\u001a',
  `\n'; ${UPDATE}; -- `,
  `\r\n'; ${UPDATE}; -- `,
  '\u2028',
  // Beyond the first plane, half a pair, and what folds.
  "\u{1f600}'",
  '\u{1f600}\\',
  "\ufeff'",
  "İ'",
  '1 UNION SELECT hash FROM tokens',
  `1; ${UPDATE}`,
  "X'27'",
  'NULL',
  'DEFAULT',
  'true',
  '1e400',
  '-1',
  '0',
];

/** Bytes of a path or query that are no text of ours: tails of GBK and SJIS, overlong quotes, a stray NUL. */
export const HOSTILE_ESCAPES: readonly string[] = [
  '%bf%27',
  '%bf%5c%27',
  '%83%5c%27',
  '%c0%a7',
  '%e0%80%a7',
  '%00%27',
  '%1a',
  '%df%5c',
].flatMap((bytes) => [bytes, `${bytes}${encodeURIComponent(`${AFTER_SUBJECT}; ${UPDATE}; -- `)}`]);

/** What is put where a text or a number belongs: a driver that spreads objects makes column names and lists of them. */
export const HOSTILE_VALUES: readonly unknown[] = [
  { reserved_ip_limit: INJECTED_LIMIT },
  { name: 1 },
  { toSqlString: UPDATE },
  { raw: UPDATE },
  { type: 'Buffer', data: [39] },
  ["' OR 1=1 -- ", 'b'],
  [["a'", 'b']],
  [[{ id: 1 }]],
  { 'a` = 1; -- ': 1 },
  true,
  1e308,
  -1,
  1.5,
  Number.MAX_SAFE_INTEGER + 1,
  null,
];
