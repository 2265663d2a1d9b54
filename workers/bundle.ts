import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { runProcess } from '../platform/config/run-process.ts';
import { commandLine } from '../platform/text/print.ts';
import { bundleWorkflows } from './workflow-bundle.ts';

/*
 * Bundles the workflows into one file, so that workers start without doing it.
 */

const command = commandLine('bundle').requiredOption('--out <file>', 'where the bundle is written');

async function main(): Promise<void> {
  const { out } = command.parse().opts<{ out: string }>();
  await mkdir(dirname(out), { recursive: true });
  const unfinished = `${out}.${process.pid}`;
  await writeFile(unfinished, await bundleWorkflows());
  await rename(unfinished, out);
}

runProcess(main);
