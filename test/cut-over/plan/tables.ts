import { OPERATIONS, RESOURCE_NAMES, type ResourceName } from '../../../edge/code-paths.ts';
import type { ListedDifferences, PlannedCase } from './plan.ts';

/*
 * What the documentation says of the plan, in Markdown.
 */

/** How many cases each operation has. */
export function countTable(plan: PlannedCase[]): string {
  const rows = OPERATIONS.map((operation) => {
    const cases = plan.filter((one) => one.operation === operation);
    const accepted = cases.filter(({ status }) => status < 400).length;
    const runs = (resourceName: ResourceName) =>
      cases.filter(({ resourceNames }) => resourceNames.includes(resourceName)).length;
    return [`\`${operation}\``, accepted, cases.length - accepted, ...RESOURCE_NAMES.map(runs)];
  });
  const sums = [1, 2, 3, 4].map((column) => rows.reduce((sum, row) => sum + Number(row[column]), 0));
  const heads = ['code path', 'accepted', 'rejected', ...RESOURCE_NAMES.map((resourceName) => `\`${resourceName}\``)];
  return table(heads, [...rows, ['all', ...sums]]);
}

/** What is left of differences. */
export function differenceTable(plan: PlannedCase[], { everywhere, cases }: ListedDifferences): string {
  const always = everywhere.map(({ fields, reason }) => ['every case', `without \`${fields.join('`, `')}\``, reason]);
  const listed = cases.map(({ case: name, legacy, fields, reason }) => {
    const status = plan.find((one) => one.name === name)?.status;
    const what = legacy === undefined ? `other: \`${fields.join('`, `')}\`` : `${legacy} instead of ${status}`;
    return [name, what, reason];
  });
  return table(['case', 'the stand-in', 'reason'], [...always, ...listed]);
}

function table(heads: string[], rows: (string | number)[][]): string {
  const line = (cells: (string | number)[]) => `| ${cells.join(' | ')} |`;
  return [line(heads), `|${'---|'.repeat(heads.length)}`, ...rows.map(line)].join('\n');
}
