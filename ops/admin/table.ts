import { visibleCell } from '../../platform/text/visible.ts';

/** Text or number in one cell; null is shown as a dash. */
export type Cell = string | number | null;

/** Lays rows out under their headings, numbers to the right. Whatever is in a cell, it is shown on its line and in its column. */
export function formatTable(headings: string[], rows: Cell[][]): string {
  const lines = [headings, ...rows].map((cells) => cells.map((cell) => visibleCell(String(cell ?? '-'))));
  const widths = headings.map((_, column) => Math.max(...lines.map((cells) => cells[column]?.length ?? 0)));
  const isNumeric = headings.map(
    (_, column) => rows.length > 0 && rows.every((row) => typeof row[column] === 'number'),
  );
  return lines
    .map((cells) =>
      cells
        .map((cell, column) => {
          const width = widths[column] ?? 0;
          return isNumeric[column] ? cell.padStart(width) : cell.padEnd(width);
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
