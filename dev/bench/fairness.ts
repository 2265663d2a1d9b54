import { writeFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { InvalidArgumentError } from 'commander';
import { commandLine, print, printError } from '../../platform/text/print.ts';
import { visibleJson } from '../../platform/text/visible.ts';
import { startFairnessEnvironment } from './fairness/environment.ts';
import { FLOODS, type FloodKind, RATES } from './fairness/floods.ts';
import { measureFlood } from './fairness/measure.ts';
import { type FairnessResults, toFairnessMarkdown } from './fairness/report.ts';
import { measureVictim } from './fairness/victim.ts';

/*
 * `npm run bench:fairness`: what one customer notices of the floods of another one, of a host, or of an address without
 * a token.
 */

const WARM_UP_MS = 8_000;

function floodOf(name: string, earlier: FloodKind[] = []): FloodKind[] {
  const kind = FLOODS.find((known) => known === name);
  if (!kind) throw new InvalidArgumentError(`One of ${FLOODS.join(', ')} is needed.`);
  return [...earlier, kind];
}

const options = commandLine('bench:fairness')
  .description('Measures a customer with and without floods of each kind, in turns.')
  .option('--json <file>', 'write the results there too')
  .option('--cycles <number>', 'phases with each flood, and as many without', Number, 4)
  .option('--phase-ms <number>', 'length of a phase', Number, 5_000)
  .option('--times <number>', 'how many times the usual rate is sent', Number, 1)
  .option('--flood <kind>', 'only this one; may be repeated', floodOf)
  .parse()
  .opts<{ json?: string; cycles: number; phaseMs: number; times: number; flood?: FloodKind[] }>();

const environment = await startFairnessEnvironment();
try {
  await measureVictim(environment.victim, WARM_UP_MS);
  const results: FairnessResults = { load: [loadavg()[0] ?? 0], times: options.times, floods: [] };
  for (const kind of options.flood ?? FLOODS) {
    const rate = RATES[kind] * options.times;
    const effort = { kind, rate, cycles: options.cycles, phaseMs: options.phaseMs };
    results.floods.push(await measureFlood(environment.victim, environment.attacker, effort));
    results.load.push(loadavg()[0] ?? 0);
    printError(visibleJson(JSON.stringify(results.floods.at(-1))));
  }
  if (options.json !== undefined) await writeFile(options.json, JSON.stringify(results, null, 2));
  print(toFairnessMarkdown(results));
} finally {
  await environment.close();
}
