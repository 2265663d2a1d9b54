import { CODE_PATHS } from '../../../edge/code-paths.ts';
import type { Run } from './measure.ts';
import { SIDES, type Side } from './upstreams.ts';

const WIDTH = 860;
const LEFT = 220;
const RIGHT = 70;
const TOP = 62;
const BAR = 9;
const ROW = 2 * BAR + 9;
const COLOURS: Record<Side, string> = { legacy: '#b35806', new: '#2b6cb0' };
const DECADES = [1, 10, 100, 1_000];

/** A bar chart of a run: for each code path the median of both upstreams as a bar, and the 99th percentile as a line. */
export function toSvg(run: Run): string {
  const height = TOP + CODE_PATHS.length * ROW + 26;
  const longest = Math.max(...[...run.paths.values()].flatMap((both) => SIDES.map((side) => both[side].times.p99)));
  const decades = DECADES.filter((decade) => decade <= longest);
  const x = (ms: number) => LEFT + (Math.log10(Math.max(1, ms)) / Math.log10(longest)) * (WIDTH - LEFT - RIGHT);
  const grid = decades.map(
    (decade) =>
      `<line x1="${fixed(x(decade))}" y1="${TOP - 6}" x2="${fixed(x(decade))}" y2="${height - 24}" stroke="#ddd"/>` +
      `<text x="${fixed(x(decade))}" y="${height - 10}" text-anchor="middle">${decade} ms</text>`,
  );
  const rows = CODE_PATHS.map((codePath, index) => {
    const both = run.paths.get(codePath);
    if (!both) throw new Error(`${codePath} was not measured`);
    const y = TOP + index * ROW;
    const bars = SIDES.map((side, place) => {
      const { p50, p99 } = both[side].times;
      const top = y + place * BAR;
      return (
        `<rect x="${LEFT}" y="${top}" width="${fixed(x(p50) - LEFT)}" height="${BAR - 1}" fill="${COLOURS[side]}"/>` +
        `<line x1="${fixed(x(p50))}" y1="${top + BAR / 2}" x2="${fixed(x(p99))}" y2="${top + BAR / 2}" stroke="${COLOURS[side]}"/>`
      );
    });
    const ratio = (both.legacy.times.p50 / both.new.times.p50).toFixed(1);
    return (
      `<text x="${LEFT - 8}" y="${y + BAR + 3}" text-anchor="end">${codePath}</text>${bars.join('')}` +
      `<text x="${WIDTH - 8}" y="${y + BAR + 3}" text-anchor="end">${ratio} ×</text>`
    );
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">`,
    '<title>Time of a request on each of the 18 code paths, before and after</title>',
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    `<text x="${LEFT}" y="20" font-size="15">Time of a request, before and after: median (bar) to 99th percentile (line)</text>`,
    `<rect x="${LEFT}" y="30" width="12" height="10" fill="${COLOURS.legacy}"/><text x="${LEFT + 18}" y="39">legacy</text>`,
    `<rect x="${LEFT + 80}" y="30" width="12" height="10" fill="${COLOURS.new}"/><text x="${LEFT + 98}" y="39">new</text>`,
    `<text x="${WIDTH - 8}" y="39" text-anchor="end">medians, legacy : new</text>`,
    ...grid,
    ...rows,
    '</svg>',
    '',
  ].join('\n');
}

function fixed(value: number): string {
  return value.toFixed(1);
}
