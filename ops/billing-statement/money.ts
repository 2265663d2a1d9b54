const MICROS_PER_DOLLAR = 1_000_000n;

/** What an hour costs in which an address is reserved and on no droplet: 5 dollars for 672 hours. */
export const DEFAULT_RATE = '0.00744';

/** Reads an amount in dollars with at most six decimals. Throws a RangeError for anything else. */
export function parseDollars(text: string): bigint {
  const match = /^(\d+)(?:\.(\d{1,6}))?$/.exec(text);
  if (!match?.[1]) throw new RangeError(`${text} is not an amount in dollars with at most six decimals.`);
  return BigInt(match[1]) * MICROS_PER_DOLLAR + BigInt((match[2] ?? '').padEnd(6, '0'));
}

/** Writes millionths of a dollar as dollars, with all six decimals. */
export function formatDollars(micros: bigint): string {
  return `${micros / MICROS_PER_DOLLAR}.${(micros % MICROS_PER_DOLLAR).toString().padStart(6, '0')}`;
}
