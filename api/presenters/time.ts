/** A time as the v2 API writes it, to the second. */
export function presentTime(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`;
}
