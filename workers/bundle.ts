import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { bundleWorkflows } from './workflow-bundle.ts';

const { values } = parseArgs({ options: { out: { type: 'string' } } });
if (!values.out) throw new Error('usage: bundle --out <file>');
await mkdir(dirname(values.out), { recursive: true });
const unfinished = `${values.out}.${process.pid}`;
await writeFile(unfinished, await bundleWorkflows());
await rename(unfinished, values.out);
