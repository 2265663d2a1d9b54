import type { IdleCosts } from './measure.ts';

/** What idle agents cost as a Markdown table, one row for each number of them. */
export function toIdleMarkdown(costs: IdleCosts[]): string {
  return [
    '| idle agents | requests/s | MySQL queries/s | CPU of the API, ms/s | of each round |',
    '|---|---|---|---|---|',
    ...costs.map(({ agents, requests, mysqlQueries, cpuMs, cpuMsOfRounds }) => {
      const cells = [agents, fixed(requests), fixed(mysqlQueries), fixed(cpuMs), cpuMsOfRounds.map(fixed).join(', ')];
      return `| ${cells.join(' | ')} |`;
    }),
  ].join('\n');
}

function fixed(value: number): string {
  return value.toFixed(1);
}
