import { fixed, markdownTable } from '../../kit/statistics.ts';
import type { IdleCosts } from './measure.ts';

/** What idle agents cost as a Markdown table, one row for each number of them. */
export function toIdleMarkdown(costs: IdleCosts[]): string {
  const headings = ['idle agents', 'requests/s', 'MySQL queries/s', 'CPU of the API, ms/s', 'of each round'];
  const rows = costs.map(({ agents, requests, mysqlQueries, cpuMs, cpuMsOfRounds }) => {
    return [agents, fixed(requests), fixed(mysqlQueries), fixed(cpuMs), cpuMsOfRounds.map(fixed).join(', ')];
  });
  return markdownTable(headings, rows).join('\n');
}
