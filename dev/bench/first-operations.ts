import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commandLine, print, printError, printJsonLine } from '../../platform/text/print.ts';
import { DEV_FOLDER } from '../environment/paths.ts';
import { summariseFirst, toFirstOperationsMarkdown } from './first-operations/report.ts';
import { prepareInstallation, type Round, runRound } from './first-operations/rounds.ts';

const program = commandLine('bench:first-operations')
  .description(
    'Measures what the first assign after a start costs against those that follow; ends with one line of JSON.',
  )
  .option('--rounds <number>', 'how often everything is started', Number, 5)
  .option('--keep-servers', 'restart the application only, as a deploy does')
  .option('--embedded-worker <boolean>', 'whether the API runs a worker too', (text) => text === 'true', true);
const options = program.parse().opts<{ rounds: number; keepServers?: boolean; embeddedWorker: boolean }>();

const dataFolder = await mkdtemp(join(tmpdir(), 'reserved-ip-bench-'));
const where = {
  dataFolder,
  logFolder: join(DEV_FOLDER, 'first-operations'),
  adminToken: randomBytes(24).toString('base64url'),
  embeddedWorker: options.embeddedWorker,
  keepServers: options.keepServers ?? false,
};
try {
  const installation = await prepareInstallation(where);
  const rounds: Round[] = [];
  for (let number = 1; number <= options.rounds; number += 1) {
    const round = await runRound(where, installation);
    printError(`round ${number}: ready after ${round.readyMs} ms, assigns ${round.assignMs.join(', ')} ms`);
    rounds.push(round);
  }
  await installation.close();
  print(toFirstOperationsMarkdown(summariseFirst(rounds)));
  printJsonLine({ options, summary: summariseFirst(rounds), rounds });
} finally {
  await rm(dataFolder, { recursive: true, force: true });
}
