import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { print, printUncaughtErrors } from '../../platform/text/print.ts';
import { shown } from '../../platform/text/visible.ts';
import { stopRecorded } from './clean-up.ts';
import { DEV_FOLDER } from './paths.ts';
import { readRecord } from './process-record.ts';
import { isAlive } from './process-table.ts';

printUncaughtErrors();

/*
 * `npm run down`: stops what `npm start` left running, and what a crashed test or benchmark left in a folder of
 * its own below `.dev`. A test that is still running is left alone.
 */

const nested = (await readdir(DEV_FOLDER).catch(() => [])).map((entry) => join(DEV_FOLDER, entry));
let found = false;
for (const folder of [DEV_FOLDER, ...nested]) {
  const record = await readRecord(folder);
  if (record === undefined) continue;
  found = true;
  if (folder !== DEV_FOLDER && (await isAlive(record.owner))) {
    print(shown`${folder} is in use by process ${record.owner.pid}: left alone`);
  } else {
    await stopRecorded(folder, print);
  }
}
print(found ? 'The environment is down; its data is kept in .dev/data.' : 'Nothing of this environment is running.');
